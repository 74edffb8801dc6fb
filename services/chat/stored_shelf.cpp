#include "services/chat/stored_shelf.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/utf8.hpp"
#include "services/chat/message_tree.hpp"
#include "services/chat/store_question.hpp"

namespace notso::services {
namespace {

Result<std::vector<AttachedFile>> shown_files(SessionStore& store, const ConversationKey& key) {
    NOTSO_TRY(const ShownConversation shown, load_shown(store, key));
    std::vector<AttachedFile> files;
    for (const Message& message : shown.path | std::views::reverse)
        files.insert(files.end(), message.files.begin(), message.files.end());
    return files;
}

Result<std::string> whole_text(SessionStore& store,
                               const ConversationKey& key,
                               const std::string& name) {
    NOTSO_TRY(const auto files, shown_files(store, key));
    const auto file = std::ranges::find(files, name, &AttachedFile::name);
    if (file == files.end()) return fail(ErrorCode::kNotFound, "the file was deleted");
    NOTSO_TRY(std::string text,
              store.read_attachment(*file, AttachmentPart::kText, 0, file->text_bytes));
    return is_valid_utf8(text) ? std::move(text) : repair_utf8(text);  // of an import
}

}  // namespace

Result<std::vector<Attachment>> StoredShelf::list() {
    NOTSO_TRY(
        const auto stored,
        ask_store<std::vector<AttachedFile>>(store_, [key = conversation_](SessionStore& store) {
            return shown_files(store, key);
        }));
    std::vector<Attachment> files;
    for (const AttachedFile& file : stored)
        files.push_back({.name = file.name,
                         .media_type = file.media_type,
                         .path = {},
                         .bytes = static_cast<std::uint64_t>(file.bytes)});
    return files;
}

Result<std::string> StoredShelf::text(const Attachment& file, const ReadPatience&) {
    return ask_store<std::string>(store_,
                                  [key = conversation_, name = file.name](SessionStore& store) {
                                      return whole_text(store, key, name);
                                  });
}

}  // namespace notso::services
