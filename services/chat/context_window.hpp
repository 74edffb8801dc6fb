// Context fitting: which part of a conversation the model reads. One policy: the pinned system
// prompt, the summary of what came before, and the newest exchanges that fit beside room for the
// answer. Never an error, unless the newest message alone is too long.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/chat/prompt_parts.hpp"

namespace notso::services {

struct FittedPrompt {
    ChatRequest request;
    std::int64_t messages_left_out = 0;  ///< Neither in the prompt nor in its summary.
    std::size_t exchanges = 0;           ///< The newest ones, which are in the prompt.
    bool has_summary = false;            ///< The path's summary is in the prompt.
    std::int64_t tokens = 0;  ///< Of the prompt; 0 where the context's size is not known.
};

/// Builds the request with as many of the newest exchanges as fit. Answers go in without their
/// thoughts. The summary gives way to the newest message only.
/// @errors kContextLength with both numbers; what count_tokens() reports otherwise.
/// @cost   One templating and tokenising of what is kept, about log2(n) of them when it does not
/// all fit.
Result<FittedPrompt> fit_context(ChatBackend& backend, const PromptSource& source);

/// Tokens kept free for the answer in a context of that size.
std::int64_t answer_room(std::int64_t context_length, bool thinking);

/// Whether the newest message of `source` could be sent at all, whatever came before it.
/// @errors kContextLength with both numbers, and what to do.
Result<> check_newest_fits(ChatBackend& backend, const PromptSource& source);

/// A prompt with these parts has at most that many tokens. @errors count_tokens()'s others.
Result<bool> fits_in(ChatBackend& backend, const ChatRequest& request, std::int64_t budget);

}  // namespace notso::services
