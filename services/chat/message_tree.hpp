// The messages of a conversation are a tree: whoever asks again or asks something else gets a
// message beside the old one, with the same parent. What is shown and what the model reads is one
// path through it. No threads, no database.
#pragma once

#include <cstddef>
#include <vector>

#include "services/session/session_store.hpp"

namespace notso::services {

/// The messages that stand in one place of a conversation: same parent, same role; oldest first.
struct Versions {
    std::vector<MessageId> ids;
    std::size_t index = 0;  ///< Of the message that was asked about.
};

/// From the first message to `leaf`, or to the newest message where there is no such leaf.
/// @param all  In the order in which they were written. @cost O(n)
std::vector<Message> path_to(const std::vector<Message>& all, const MessageId& leaf);

/// The end of the newest path through a message: what is shown when somebody turns to it.
MessageId newest_end(const std::vector<Message>& all, const MessageId& message);

/// Of every message of a path. @cost O(n)
std::vector<Versions> versions_of(const std::vector<Message>& all,
                                  const std::vector<Message>& path);

/// Whether a message is an answer that ended before its end, with something to go on with.
bool is_cut(const Message& message);

/// A conversation as it is shown.
struct ShownConversation {
    Conversation conversation;
    std::vector<Message> all;   ///< Every message, in the order in which they were written.
    std::vector<Message> path;  ///< Those that are shown.
    std::vector<Summary> summaries;
};

/// On the database thread. @errors the store's.
Result<ShownConversation> load_shown(SessionStore& store, const ConversationKey& key);

}  // namespace notso::services
