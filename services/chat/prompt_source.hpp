// What prompts are made from, read from the store. On the database thread.
#pragma once

#include "services/chat/message_tree.hpp"
#include "services/chat/prompt_parts.hpp"

namespace notso::services {

/// The path of `shown` with the texts of its files, and what its owner wants of all answers.
/// @errors the store's.
Result<PromptSource> load_source(SessionStore& store, ShownConversation shown);
/// The same of a conversation as it is stored. @errors the store's; kNotFound.
Result<PromptSource> load_source(SessionStore& store, const ConversationKey& key);

}  // namespace notso::services
