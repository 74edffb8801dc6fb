// Forking: a new conversation that begins with what another one says up to a message.
#pragma once

#include "base/result.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

/// Copies the path up to a message, with its files, its summaries and the conversation's settings
/// and notes. The other one stays as it is. On the database thread.
/// @return The new conversation, stored. @errors kNotFound: no such conversation or message; the
/// store's: then nothing is stored.
Result<Conversation> fork_conversation(SessionStore& store,
                                       const ConversationKey& key,
                                       const MessageId& message);

}  // namespace notso::services
