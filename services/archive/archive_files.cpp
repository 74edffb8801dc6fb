#include "services/archive/archive_files.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
#include "services/archive/base64.hpp"
#include "services/archive/json_reader.hpp"
#include "services/attachments/file_name.hpp"
#include "services/session/store_errors.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::string_view kFileMark = "notso_file";
constexpr std::string_view kPartMark = "notso_file_part";
constexpr std::size_t kMostAtOnce = 10'000;  // files before their conversation

Result<> write_part(StoreGate& gate,
                    const AttachedFile& file,
                    AttachmentPart part,
                    const std::function<Result<>(const json::object&)>& write) {
    const bool is_file = part == AttachmentPart::kFile;
    const std::int64_t size = is_file ? file.bytes : file.text_bytes;
    for (std::int64_t at = 0; at < size;) {
        NOTSO_TRY(const std::string bytes, gate.run([&](SessionStore& store) {
            return store.read_attachment(
                file, part, at, static_cast<std::int64_t>(kAttachmentPieceBytes));
        }));
        if (bytes.empty()) return fail(ErrorCode::kCorruptData, "a file ends too early");
        NOTSO_CHECK(write({{kPartMark, file.id.value},
                           {"part", is_file ? "file" : "text"},
                           {"data", to_base64(bytes)}}));
        at += std::ssize(bytes);
    }
    return {};
}

Result<> write_file(StoreGate& gate,
                    const AttachedFile& file,
                    const std::function<Result<>(const json::object&)>& write) {
    NOTSO_CHECK(write({{kFileMark, file.id.value},
                       {"name", file.name},
                       {"media_type", file.media_type},
                       {"bytes", file.bytes},
                       {"sha256", file.sha256},
                       {"text_bytes", file.text_bytes},
                       {"text_is_file", file.text_is_file}}));
    NOTSO_CHECK(write_part(gate, file, AttachmentPart::kFile, write));
    if (file.text_is_file) return {};
    return write_part(gate, file, AttachmentPart::kText, write);
}

Result<AttachedFile> read_file(const JsonReader& in) {
    AttachedFile file{.id = {random_id()}, .name = {}, .media_type = {}, .sha256 = {}};
    NOTSO_TRY(const std::string name, in.text("name"));
    file.name = clean_file_name(name);
    NOTSO_TRY(const std::string type, in.text("media_type"));
    file.media_type = type == "application/pdf" ? type : "text/plain";
    NOTSO_TRY(file.bytes, in.integer("bytes"));
    NOTSO_TRY(file.text_bytes, in.integer("text_bytes"));
    NOTSO_TRY(file.text_is_file, in.flag("text_is_file"));
    NOTSO_TRY(const std::string hash, in.text("sha256"));
    NOTSO_TRY(file.sha256, parse_sha256(hash));
    file.created_at = now_ms();
    const bool fits = file.bytes >= 0 && file.bytes <= kMaxAttachmentBytes &&
                      file.text_bytes >= 0 && file.text_bytes <= kMaxAttachmentBytes;
    if (!fits) return fail(ErrorCode::kTooLarge, "a file has more than 20 MiB");
    return file;
}

}  // namespace

Result<> write_files(StoreGate& gate,
                     const WholeConversation& whole,
                     const std::function<Result<>(const json::object&)>& write) {
    for (const AttachmentId& id : attachments_of(whole)) {
        NOTSO_TRY(const AttachedFile file, gate.run([&](SessionStore& store) {
            return store.attachment(whole.conversation.key(), id);
        }));
        NOTSO_CHECK(write_file(gate, file, write));
    }
    return {};
}

ImportedFiles::~ImportedFiles() {
    for (const auto& [name, staged] : files_) {
        const Result<> removed = gate_.run([&](SessionStore& store) {
            return store.remove_attachment(composer(), staged.file.id);
        });
        if (!removed) log::warn("a file of an import is left over: {}", removed.error().detail);
    }
}

bool ImportedFiles::is_one(const json::object& object) {
    return object.contains(kFileMark) || object.contains(kPartMark);
}

Result<> ImportedFiles::take(const json::object& object) {
    return object.contains(kFileMark) ? begin(object) : add_part(object);
}

Result<> ImportedFiles::begin(const json::object& object) {
    const JsonReader in(object, "");
    NOTSO_TRY(std::string name, in.text(kFileMark));
    NOTSO_TRY(const AttachedFile file, read_file(in));
    if (files_.contains(name)) return in.wrong(kFileMark, "is there twice");
    if (files_.size() == kMostAtOnce)
        return fail(ErrorCode::kTooLarge, "too many files stand before their conversation");
    const std::int64_t size = file.bytes + (file.text_is_file ? 0 : file.text_bytes);
    NOTSO_CHECK(gate_.run([&](SessionStore& store) -> Result<> {
        if (const Result<> room = check_file_bytes(store, owner_, quota_, size); !room) return room;
        return store.begin_attachment(composer(), file);
    }));
    files_[std::move(name)].file = file;
    return {};
}

Result<> ImportedFiles::add_part(const json::object& object) {
    const JsonReader in(object, "");
    NOTSO_TRY(const std::string name, in.text(kPartMark));
    const auto found = files_.find(name);
    if (found == files_.end()) return in.wrong(kPartMark, "is the part of no file before it");
    Staged& staged = found->second;
    NOTSO_TRY(const std::string which, in.text("part"));
    const bool is_file = which == "file";
    if (!is_file && which != "text") return in.wrong("part", "is neither file nor text");
    NOTSO_TRY(const std::string data, in.text("data"));
    const Result<std::string> bytes = from_base64(data);
    if (!bytes) return in.wrong("data", bytes.error().detail);
    std::int64_t& come = is_file ? staged.bytes : staged.text_bytes;
    come += std::ssize(*bytes);
    const bool fits = come <= (is_file ? staged.file.bytes : staged.file.text_bytes);
    if (!fits || bytes->size() > kAttachmentPieceBytes)
        return in.wrong("data", "has more bytes than the file says");
    if (is_file) staged.hash->update(std::as_bytes(std::span(*bytes)));
    return gate_.run([&](SessionStore& store) {
        return store.append_attachment(
            staged.file.id, is_file ? AttachmentPart::kFile : AttachmentPart::kText, *bytes);
    });
}

/// What an id of the import is here.
Result<AttachedFile> ImportedFiles::find(const AttachmentId& id) {
    const auto found = files_.find(id.value);
    if (found == files_.end())
        return fail(ErrorCode::kInvalidArgument,
                    "a message has a file that does not stand before it");
    Staged& staged = found->second;
    if (staged.hash_found.empty()) staged.hash_found = staged.hash->hex();
    if (staged.hash_found == staged.file.sha256) return staged.file;
    return fail(ErrorCode::kInvalidArgument,
                "the file {} is damaged: its SHA-256 is another one",
                log::field(staged.file.name));
}

Result<> ImportedFiles::resolve(WholeConversation& whole) {
    for (Message& message : whole.messages) {
        for (AttachedFile& file : message.files) {
            const auto prompt_bytes = file.prompt_bytes;
            NOTSO_TRY(file, find(file.id));
            file.prompt_bytes = prompt_bytes;
        }
    }
    for (WaitingMessage& message : whole.waiting) {
        for (AttachmentUse& use : message.files) {
            NOTSO_TRY(const AttachedFile file, find(use.id));
            use.id = file.id;
        }
    }
    return {};
}

void ImportedFiles::give_away(const WholeConversation& whole) {
    for (const AttachmentId& id : attachments_of(whole)) {
        std::erase_if(files_, [&](const auto& entry) { return entry.second.file.id == id; });
    }
}

}  // namespace notso::services
