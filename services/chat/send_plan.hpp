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
    std::vector<WaitingMessage> waiting = {};  ///< Those that still wait, of one that waited.
};

/// A new answer to `question`, which nobody writes yet.
Message empty_answer(const ConversationId& conversation, const MessageId& question);

/// A question and its empty answer, to be stored.
struct NewMessages {
    OwnerId owner;
    Message user;    ///< Complete but for its parent.
    Message answer;  ///< Its parent is `user`.
    /// The question that this one stands beside; absent = it comes after what is shown.
    std::optional<MessageId> edits = {};
};

/// Stores a question and its answer in one transaction, unless the client_id is there already. The
/// conversation gets its title from its first message.
/// @errors kNotFound: no such question to stand beside.
Result<SendPlan> store_message(SessionStore& store, NewMessages messages);

/// Stores an empty answer beside another one, unless its client_id is there already: both have the
/// question as parent, and nothing of the old one changes.
/// @param answer  Its parent is the question.
/// @errors kNotFound: `old` is no answer to that question.
Result<SendPlan> store_answer_beside(SessionStore& store,
                                     const OwnerId& owner,
                                     const MessageId& old,
                                     Message answer);

/// Removes an answer, or a question with its answers. @errors kNotFound.
Result<> remove_from_tree(SessionStore& store,
                          const ConversationKey& key,
                          const MessageId& message);

/// Whether a message fits in the context size of its conversation, where that is less than the
/// model's. @errors kContextLength. @cost Counts tokens of long messages only.
Result<> check_own_window(SessionStore& store,
                          ChatBackend& backend,
                          const ConversationKey& key,
                          const std::string& text);

/// A message that is not sent.
struct NewDraft {
    ConversationKey conversation;
    std::string text;
    std::vector<AttachmentUse> files = {};
};

/// The conversation with a draft as its newest message. Nothing is stored.
/// @errors kNotFound: also, a file is gone.
Result<PromptSource> load_draft(SessionStore& store, NewDraft draft);

/// What was stored under this client_id, if anything: a question with its newest answer, or an
/// answer.
Result<std::optional<SendPlan>> find_repeated(SessionStore& store,
                                              const ConversationKey& key,
                                              const std::string& client_id);

}  // namespace notso::services
