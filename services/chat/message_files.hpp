// Files of messages: which there are, and what of them stands in prompts. A file's text comes
// before what the person wrote, between two lines that name it. A file that the model can't read at
// once stands there with its beginning, if the model can call read_document for the rest.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/chat/prompt_parts.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

/// The most text of files that is read for one prompt: no model reads more at once.
inline constexpr std::size_t kMaxPromptBytes = std::size_t{2} << 20;

/// What the model reads of a person's message, as far as the texts of its files were read.
std::string prompt_text(const Message& message);
/// About how long that is, had all been read; and how much of that was not. Bytes.
std::size_t prompt_size(const Message& message);
std::size_t unread_bytes(const Message& message);

/// " [a.txt, b.pdf]", or nothing: for people.
std::string names_of_files(const Message& message);

/// @errors kInvalidArgument: more than kMaxAttachments, or one of them twice.
Result<> check_uses(const std::vector<AttachmentUse>& uses);
/// Files of which only the uses are known, and the uses of files.
std::vector<AttachedFile> files_to_use(const std::vector<AttachmentUse>& uses);
std::vector<AttachmentUse> uses_of(const Message& message);

/// On the database thread: files of a conversation, of its composer, or of the next one's.
/// @errors kNotFound.
Result<std::vector<AttachedFile>> find_files(SessionStore& store,
                                             const ConversationKey& key,
                                             const std::vector<AttachmentUse>& uses);
/// On the database thread: reads what a prompt of this path has of its files, the newest first, as
/// far as kMaxPromptBytes go.
Result<> read_texts(SessionStore& store, std::vector<Message>& path);

/// check_newest_fits() for a message that is not stored yet. Where it does not fit with its files,
/// and the model can ask for the rest, they are shortened until it does.
/// @errors as check_newest_fits().
Result<> fit_files(ChatBackend& backend, PromptSource& source);

}  // namespace notso::services
