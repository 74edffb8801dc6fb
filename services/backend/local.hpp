// The local backend: a model file answers on this machine. This header is for app/; of the engine's
// types it shows those that are settings.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "ml/kernels/kv_type.hpp"
#include "ml/kernels/precision.hpp"
#include "services/backend/chat_backend.hpp"

namespace notso::services {

struct LocalOptions {
    std::filesystem::path model;
    std::optional<std::filesystem::path> tokenizer_json =
        {};                                 ///< Replaces the file's own tokenizer.
    std::int32_t n_threads = 0;             ///< 0 = physical cores.
    std::int32_t context_length = 0;        ///< 0 = min(model, 8192, what memory allows).
    ml::KvType kv_type = ml::KvType::kF16;  ///< How keys and values are stored.
    ml::Precision prompt_precision = ml::Precision::kExact;  ///< Of new prompt text.
    std::uint64_t kv_budget_bytes = 0;  ///< For keys and values; 0 = by max_contexts.
    std::int32_t max_contexts = 1;      ///< That memory is kept for, where there is enough.
    std::int32_t max_queue = 64;
    std::int32_t max_draft = 15;  ///< Most tokens guessed ahead.
};

/// Returns at once; the model loads on a thread of its own, health() tells how far it is. Requests
/// that come while it loads are held (at most max_queue), told their position, and answered
/// afterwards; when loading fails they end with that error. Destroying the backend stops loading,
/// cancels what runs, and returns after every End.
std::unique_ptr<ChatBackend> make_local_backend(LocalOptions options);

}  // namespace notso::services
