// MemoryStore: files of messages.
#include <algorithm>
#include <utility>

#include "services/session/memory_store.hpp"
#include "services/session/store_errors.hpp"

namespace notso::services {

Result<MemoryStore::StoredFile*> MemoryStore::find(const AttachmentId& id) {
    const auto found =
        std::ranges::find(files_, id, [](const StoredFile& one) { return one.file.id; });
    if (found == files_.end()) return no_attachment(id);
    return &*found;
}

Result<> MemoryStore::begin_attachment(const ConversationKey& composer, const AttachedFile& file) {
    if (composer.owner == OwnerId{}) return no_owner();
    if (!composer.id.value.empty()) NOTSO_CHECK(find(composer));
    if (find(file.id)) return fail(ErrorCode::kAlreadyExists, "that file is there already");
    files_.push_back({.place = composer, .file = file});
    return {};
}

Result<> MemoryStore::append_attachment(const AttachmentId& id,
                                        AttachmentPart part,
                                        std::string_view bytes) {
    NOTSO_TRY(StoredFile * file, find(id));
    if (file->finished) return no_attachment(id);
    (part == AttachmentPart::kFile ? file->bytes : file->text) += bytes;
    return {};
}

Result<> MemoryStore::finish_attachment(const AttachmentId& id) {
    NOTSO_TRY(StoredFile * file, find(id));
    if (file->finished) return no_attachment(id);
    const std::string& text = file->file.text_is_file ? file->bytes : file->text;
    if (std::ssize(file->bytes) != file->file.bytes || std::ssize(text) != file->file.text_bytes)
        return fail(ErrorCode::kCorruptData, "a file is not as long as it says: attach it again");
    file->finished = true;
    return {};
}

Result<std::vector<AttachedFile>> MemoryStore::composer_files(const ConversationKey& composer) {
    if (!composer.id.value.empty()) NOTSO_CHECK(find(composer));
    std::vector<AttachedFile> found;
    for (const StoredFile& one : files_) {
        if (one.place == composer && one.finished && !is_used(one.file.id))
            found.push_back(one.file);
    }
    return found;
}

Result<AttachedFile> MemoryStore::attachment(const ConversationKey& key, const AttachmentId& id) {
    if (!key.id.value.empty()) NOTSO_CHECK(find(key));
    NOTSO_TRY(const StoredFile* file, find(id));
    if (file->place != key || !file->finished) return no_attachment(id);
    return file->file;
}

Result<std::string> MemoryStore::read_attachment(const AttachedFile& file,
                                                 AttachmentPart part,
                                                 std::int64_t offset,
                                                 std::int64_t most) {
    NOTSO_TRY(const StoredFile* stored, find(file.id));
    const bool bytes = part == AttachmentPart::kFile || file.text_is_file;
    const std::string& all = bytes ? stored->bytes : stored->text;
    const auto begin = std::min(all.size(), static_cast<std::size_t>(offset));
    return all.substr(begin, static_cast<std::size_t>(most));
}

Result<> MemoryStore::remove_attachment(const ConversationKey& composer, const AttachmentId& id) {
    NOTSO_TRY(const StoredFile* file, find(id));
    if (file->place != composer || is_used(id)) return no_attachment(id);
    std::erase_if(files_, [&](const StoredFile& one) { return one.file.id == id; });
    return {};
}

Result<std::int64_t> MemoryStore::remove_unsent(UnixMs begun_before, UnixMs unsent_before) {
    return static_cast<std::int64_t>(std::erase_if(files_, [&](const StoredFile& one) {
        const UnixMs before = one.finished ? unsent_before : begun_before;
        return one.file.created_at < before && !is_used(one.file.id);
    }));
}

/// Whether a message has it, or one that waits.
bool MemoryStore::is_used(const AttachmentId& id) const {
    const auto uses = [&](const auto& message) {
        return std::ranges::any_of(message.files, [&](const auto& file) { return file.id == id; });
    };
    return std::ranges::any_of(messages_, uses) || std::ranges::any_of(waiting_, uses);
}

Result<> MemoryStore::take_files(const OwnerId& owner, Message& message) {
    const ConversationKey key(owner, message.conversation);
    for (AttachedFile& file : message.files) {
        NOTSO_TRY(const StoredFile* stored, find(file.id));
        const bool free = stored->place == ConversationKey(owner, {});
        if (!stored->finished || (!free && stored->place != key)) return no_attachment(file.id);
    }
    for (AttachedFile& file : message.files) {
        StoredFile* stored = *find(file.id);
        stored->place = key;
        const auto prompt_bytes = file.prompt_bytes;
        file = stored->file;
        file.prompt_bytes = prompt_bytes;
        sent_.push_back(file.id);
    }
    return {};
}

void MemoryStore::drop_unused() {
    for (const AttachmentId& id : std::exchange(sent_, {})) {
        if (is_used(id)) {
            sent_.push_back(id);
        } else {
            std::erase_if(files_, [&](const StoredFile& one) { return one.file.id == id; });
        }
    }
}

}  // namespace notso::services
