// Recovery: answers that the last process did not bring to an end. On the database thread.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "services/chat/context_window.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

/// An answer that goes on.
struct Unfinished {
    OwnerId owner;
    Message answer;  ///< With its journal.
    PromptSource source;
};

/// The model has called tools, and was not told yet what they gave.
bool stands_at_tools(const Message& answer);

/// Marks what can't go on as kInterrupted, and returns the rest.
/// @param go_on  False: only those at calls of tools go on.
Result<std::vector<Unfinished>> recover_answers(SessionStore& store, bool go_on);

/// The last answer of a conversation, which was cut. @errors kNotFound, kInvalidArgument.
Result<Unfinished> load_cut(SessionStore& store,
                            const ConversationKey& key,
                            const MessageId& answer);

}  // namespace notso::services
