// MemoryPlan: what a model and its cache take, computed from the file's header before anything is
// allocated. The one place that compares it with what the machine leaves, and that chooses the
// length of a context.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "ml/gguf/file.hpp"
#include "ml/kernels/kv_type.hpp"

namespace notso::ml {

struct ModelConfig;
struct ModelSpec;

/// What a caller decides; the rest is in the file.
struct MemoryRequest {
    std::int32_t context_length = 0;  ///< Tokens; 0 = min(model, 8192, what memory allows).
    KvType kv_type = KvType::kF16;
    std::int32_t n_threads = 0;         ///< As LoadOptions::n_threads.
    std::uint64_t kv_budget_bytes = 0;  ///< For all sequences; 0 = by max_contexts.
    std::int32_t max_contexts = 1;      ///< That memory is kept for, where there is enough.
};

struct MemoryPlan {
    std::uint64_t weight_bytes = 0;        ///< Weights, in whole large pages.
    std::uint64_t buffer_bytes = 0;        ///< Working buffers, vocabulary and program.
    std::uint64_t kv_bytes_per_token = 0;  ///< Keys and values of all layers.
    std::int32_t context_length = 0;       ///< Tokens of the longest prompt and answer.
    std::uint64_t kv_budget_bytes = 0;     ///< For all sequences; at least one context fits.
    KvType kv_type = KvType::kF16;

    /// Keys and values of all sequences.
    std::uint64_t kv_bytes() const noexcept {
        return std::max(kv_budget_bytes,
                        kv_bytes_per_token * static_cast<std::uint64_t>(context_length));
    }
    /// Tokens that these are of.
    std::int32_t pool_tokens() const noexcept {
        return kv_bytes_per_token == 0 ? 0
                                       : static_cast<std::int32_t>(kv_bytes() / kv_bytes_per_token);
    }
    /// What the process has in memory once the context is full.
    std::uint64_t total_bytes() const noexcept { return weight_bytes + buffer_bytes + kv_bytes(); }

    /// "weights 94.0 MiB + buffers … + KV … (32768 tokens of 22.5 KiB, f16; 8192 in a context) = …"
    std::string to_string() const;
};

/// Keys and values of one token in all layers. head_dim is whole blocks of `type` (estimate_memory
/// checks).
std::uint64_t kv_bytes_per_token(const ModelConfig& config, KvType type) noexcept;

/// What the request would take on a machine with enough memory; no request for a context means
/// min(model, 8192).
/// @errors kInvalidArgument: a context beyond what the model was trained for, with both numbers;
/// kUnsupported: a head dimension that is no whole number of the KV type's blocks; what is wrong
/// with the file's tensors, as Model::load.
/// @cost  Reads the header only.
Result<MemoryPlan> estimate_memory(const gguf::File& file,
                                   const ModelSpec& spec,
                                   const MemoryRequest& request);

/// The plan that fits in `available_bytes`: the estimate itself, or, where the request leaves the
/// context open, one whose keys and values take at most half of what weights and buffers leave.
/// Where it leaves the budget open, that is a quarter of what is left, but one to max_contexts
/// contexts.
/// @errors kOutOfMemory with all numbers and what would fit; kInvalidArgument for a budget that
/// holds less than the context.
Result<MemoryPlan> fit_memory(const MemoryPlan& estimate,
                              const ModelConfig& config,
                              const MemoryRequest& request,
                              std::uint64_t available_bytes);

}  // namespace notso::ml
