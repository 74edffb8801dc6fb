// PromptParts: the pieces that prompts of one conversation are put together from, and requests with
// some of them. Decides nothing about what fits; counts nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

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
    std::vector<Summary> summaries = {};  ///< Of the conversation; one of this path is used.
    bool quiet = false;                   ///< ChatRequest::quiet, as its owner wants it.
};

/// A question and what was answered; of several tries the last one with text counts.
struct Exchange {
    const Message* user = nullptr;
    const Message* answer = nullptr;  ///< Null for the newest.
};

/// Which parts a request has.
struct PromptChoice {
    std::size_t first = 0;  ///< Of the exchanges.
    std::size_t end = 0;
    bool summary = true;
    bool system = true;  ///< System prompt and tools.
};

class PromptParts {
  public:
    /// @param source  Outlives this; has at least one message of the person's.
    explicit PromptParts(const PromptSource& source);

    /// What the summary does not tell of, oldest first; never empty. Questions without an answer
    /// are not among them, except for the newest, since templates expect the roles to alternate.
    const std::vector<Exchange>& exchanges() const { return exchanges_; }
    /// Null when there is none for this path.
    const Summary* summary() const { return summary_; }
    /// Messages of the path that the summary tells of: that many from the first one on.
    std::int64_t summarised() const { return summarised_; }

    ChatRequest request(const PromptChoice& choice) const;
    /// The newest `count` exchanges, with all that is pinned.
    ChatRequest newest(std::size_t count, bool summary = true) const;

  private:
    const PromptSource& source_;
    std::vector<Exchange> exchanges_;
    const Summary* summary_ = nullptr;
    std::int64_t summarised_ = 0;
};

std::vector<Exchange> exchanges_of(std::span<const Message> messages);

}  // namespace notso::services
