// TokenCounter: how many tokens a request takes, from a model's file alone. For a model whose
// weights are not in memory: which part of a conversation fits must be known before it is loaded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/result.hpp"
#include "services/backend/chat_backend.hpp"

namespace notso::services {

class TokenCounter {
  public:
    /// Reads tokenizer and chat template. @errors as ml::Model::load.
    /// @cost  Some 100 ms and some ten MiB with a large vocabulary.
    static Result<std::unique_ptr<const TokenCounter>> open(
        const std::filesystem::path& path,
        const std::optional<std::filesystem::path>& tokenizer_json);
    virtual ~TokenCounter() = default;

    /// @errors as ChatBackend::count_tokens.
    virtual Result<std::int64_t> count(const ChatRequest& request) const = 0;
};

}  // namespace notso::services
