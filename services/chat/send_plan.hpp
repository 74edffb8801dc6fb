// SendPlan: the database's part of sending a message. Everything here runs on the database thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "services/chat/context_window.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

/// What a send found or stored.
struct SendPlan {
    Message user;
    Message answer;
    bool repeated = false;     ///< The client_id was there already: nothing was stored.
    PromptSource source = {};  ///< Of a new message only.
};

/// Stores the question and its empty answer in one transaction, unless the client_id is there
/// already. The conversation gets its title from its first message.
/// @param user    Complete but for its parent, which becomes the newest message.
/// @param answer  Its parent is `user`.
Result<SendPlan> store_message(SessionStore& store, Message user, Message answer);

/// Stores an empty answer beside one that did not become whole: both have the question as parent,
/// and nothing of the old one changes. Only the last answer of a conversation can be tried again,
/// so that the messages stay in the order in which they were written.
/// @param tried   The old answer. When it was tried again already, that is what is found.
/// @param answer  Its parent is the question.
/// @errors kNotFound: no such answer to that question. kInvalidArgument: it is whole, or the
/// conversation went on.
Result<SendPlan> store_retry(SessionStore& store, const MessageId& tried, Message answer);

/// The last answer of the conversation, if `tried` was asked again for it.
Result<std::optional<SendPlan>> find_retried(SessionStore& store,
                                             const ConversationId& id,
                                             const MessageId& tried);

/// The conversation with a draft as its newest message. Nothing is stored.
Result<PromptSource> load_draft(SessionStore& store, const ConversationId& id, std::string draft);

/// The message that was stored under this client_id, with its (last) answer, if any.
Result<std::optional<SendPlan>> find_repeated(SessionStore& store,
                                              const ConversationId& id,
                                              const std::string& client_id);

}  // namespace notso::services
