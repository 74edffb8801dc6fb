// Context fitting: which part of a conversation the model reads. One policy: the pinned system
// prompt and the newest exchanges that fit beside room for the answer. Never an error, unless the
// newest message alone is too long.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

struct PromptSource {
    Conversation conversation;
    std::vector<Message>
        messages;  ///< Oldest first; the last one is the user's message to be answered.
    bool thinking = false;
    boost::json::array tools = {};       ///< What the model may call.
    std::optional<Message> so_far = {};  ///< The answer, when it goes on after calls of tools.
    std::optional<WrittenAnswer> written = {};  ///< What stands behind that, when it was cut.
    std::uint64_t user = 0;                     ///< Who asks (ChatRequest::user).
    std::optional<std::uint64_t> seed = {};     ///< Of sampling.
    ChatPriority priority = ChatPriority::kInteractive;
};

struct FittedPrompt {
    ChatRequest request;
    std::int64_t messages_left_out = 0;
};

/// Builds the request with as many of the newest exchanges as fit. Answers go in without their
/// thoughts; an exchange that has no answer text is left out, since templates expect the roles to
/// alternate. Of a question that was asked again the last answer with text counts.
/// @errors kContextLength with both numbers; what count_tokens() reports otherwise.
/// @cost   One templating and tokenising of what is kept, about log2(n) of them when it does not
/// all fit.
Result<FittedPrompt> fit_context(ChatBackend& backend, const PromptSource& source);

/// Tokens kept free for the answer in a context of that size.
std::int64_t answer_room(std::int64_t context_length, bool thinking);

}  // namespace notso::services
