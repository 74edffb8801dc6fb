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

/// The message that was stored under this client_id, with its answer, if any.
Result<std::optional<SendPlan>> find_repeated(SessionStore& store,
                                              const ConversationId& id,
                                              const std::string& client_id);

}  // namespace notso::services
