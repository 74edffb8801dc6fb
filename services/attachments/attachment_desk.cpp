#include "services/attachments/attachment_desk.hpp"

#include <algorithm>
#include <fstream>
#include <span>
#include <system_error>
#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
#include "services/attachments/file_name.hpp"
#include "services/attachments/file_text.hpp"
#include "services/models/sha256.hpp"

namespace notso::services {
namespace {

namespace fs = std::filesystem;

constexpr UnixMs kHourMs = 60 * 60 * 1000;
constexpr UnixMs kDayMs = 24 * kHourMs;

Result<std::string> read_bytes(const NewAttachment& file) {
    if (file.end < file.begin || file.end - file.begin > std::uint64_t{kMaxAttachmentBytes})
        return fail(ErrorCode::kTooLarge,
                    "it has {:.1f} MiB; a file may have at most {}",
                    static_cast<double>(file.end - file.begin) / (1 << 20),
                    kMaxAttachmentBytes >> 20);
    std::ifstream in(file.path, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(file.begin));
    std::string bytes(static_cast<std::size_t>(file.end - file.begin), '\0');
    if (!in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
        return fail(ErrorCode::kIo, "it can't be read any more: send it again");
    return bytes;
}

std::string sha256_of(std::string_view bytes) {
    Sha256 hash;
    hash.update(std::as_bytes(std::span(bytes)));
    return hash.hex();
}

Result<> check_composer(SessionStore& store, const ConversationKey& composer) {
    NOTSO_TRY(const auto files, store.composer_files(composer));
    if (files.size() < kMaxAttachments) return {};
    return fail(ErrorCode::kInvalidArgument,
                "a message takes at most {} files: send these first, or remove one",
                kMaxAttachments);
}

Result<> store_part(StoreGate& gate,
                    const AttachmentId& id,
                    AttachmentPart part,
                    std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += kAttachmentPieceBytes) {
        NOTSO_CHECK(gate.run([&](SessionStore& store) {
            return store.append_attachment(id, part, bytes.substr(at, kAttachmentPieceBytes));
        }));
    }
    return {};
}

/// A file with all that is known of it, and its bytes.
struct ReadFile {
    AttachedFile file;
    std::string bytes;
    std::optional<std::string> text;  ///< Absent: it is the bytes.
};

Result<ReadFile> read_whole(const NewAttachment& given, const fs::path& scratch) {
    ReadFile read;
    NOTSO_TRY(read.bytes, read_bytes(given));
    NOTSO_TRY(FileText text, text_of_file(read.bytes, scratch));
    read.text = std::move(text.text);
    read.file = {.id = {random_id()},
                 .name = {},
                 .media_type = std::move(text.media_type),
                 .bytes = std::ssize(read.bytes),
                 .sha256 = sha256_of(read.bytes),
                 .text_bytes = std::ssize(read.text ? *read.text : read.bytes),
                 .text_is_file = !read.text,
                 .created_at = now_ms()};
    return read;
}

Result<> store_whole(StoreGate& gate,
                     const ConversationKey& composer,
                     const Quota& quota,
                     const ReadFile& read) {
    const AttachedFile& file = read.file;
    const auto begin = [&](SessionStore& store) -> Result<> {
        NOTSO_CHECK(check_composer(store, composer));
        const std::int64_t text_bytes = file.text_is_file ? 0 : file.text_bytes;
        NOTSO_CHECK(check_file_bytes(store, composer.owner, quota, file.bytes + text_bytes));
        return store.begin_attachment(composer, file);
    };
    NOTSO_CHECK(gate.run(begin));
    Result<> stored = store_part(gate, file.id, AttachmentPart::kFile, read.bytes);
    if (stored && read.text) stored = store_part(gate, file.id, AttachmentPart::kText, *read.text);
    if (stored)
        stored = gate.run([&](SessionStore& store) { return store.finish_attachment(file.id); });
    if (stored) return {};
    const Result<> removed =
        gate.run([&](SessionStore& store) { return store.remove_attachment(composer, file.id); });
    if (!removed) log::warn("half a file is still stored: {}", removed.error().detail);
    return stored;
}

}  // namespace

Result<AttachedFile> take_attachment(StoreGate& gate,
                                     const NewAttachment& file,
                                     const Quota& quota,
                                     const fs::path& scratch) {
    const std::string name = clean_file_name(file.name);
    Result<ReadFile> read = read_whole(file, scratch);
    Result<> stored;
    if (!read) stored = std::unexpected(read.error());
    if (read) {
        read->file.name = name;
        stored = store_whole(gate, file.composer, quota, *read);
    }
    // What is wrong with the conversation is not the file's fault.
    if (!stored && stored.error().code == ErrorCode::kNotFound)
        return std::unexpected(stored.error());
    if (!stored)
        return fail(
            stored.error().code, "\"{}\" was not attached: {}", name, stored.error().detail);
    return std::move(read->file);
}

AttachmentDesk::AttachmentDesk(AttachmentDeskDeps deps)
    : deps_(std::move(deps)),
      store_(deps_.store, deps_.database, deps_.io),
      gate_(deps_.store, deps_.database) {
    std::error_code ignored;
    fs::remove_all(deps_.folder, ignored);  // of a process that died
    sweep(now_ms() + 1);
}

/// Nobody is told: what is left over is looked for again.
void AttachmentDesk::sweep(UnixMs begun_before) {
    store_.call(
        alive_,
        [begun_before](SessionStore& store) {
            return store.remove_unsent(begun_before, now_ms() - kDayMs);
        },
        [this](Result<std::int64_t> removed) {
            if (!removed)
                log::warn("files that nobody sent are still there: {}", removed.error().detail);
            if (removed && *removed > 0) log::info("files that nobody sent: {} removed", *removed);
            sweep_later();
        });
}

void AttachmentDesk::sweep_later() {
    timer_ = std::make_unique<GraceTimer>(
        std::chrono::milliseconds(deps_.sweep_ms), deps_.io, [this, alive = std::weak_ptr(alive_)] {
            if (!alive.expired()) sweep(now_ms() - kHourMs);
        });
}

void AttachmentDesk::add(NewAttachment file, Done<AttachedFile> done) {
    worker_.post([this, file = std::move(file), done = std::move(done)]() mutable {
        Result<fs::path> scratch = temporary_file();
        Result<AttachedFile> taken = fail(ErrorCode::kIo, "a file can't be taken");
        if (!scratch) taken = std::unexpected(std::move(scratch).error());
        if (scratch) taken = take_attachment(gate_, file, deps_.quota, *scratch);
        deps_.io.post([taken = std::move(taken), done = std::move(done)]() mutable {
            done(std::move(taken));
        });
    });
}

void AttachmentDesk::composer_files(ConversationKey composer,
                                    Done<std::vector<AttachedFile>> done) {
    store_.call(
        alive_,
        [composer = std::move(composer)](SessionStore& store) {
            return store.composer_files(composer);
        },
        std::move(done));
}

void AttachmentDesk::find(ConversationKey key, AttachmentId id, Done<AttachedFile> done) {
    store_.call(
        alive_,
        [key = std::move(key), id = std::move(id)](SessionStore& store) {
            return store.attachment(key, id);
        },
        std::move(done));
}

void AttachmentDesk::read(AttachedFile file, std::int64_t offset, Done<std::string> done) {
    store_.call(
        alive_,
        [file = std::move(file), offset](SessionStore& store) {
            return store.read_attachment(file,
                                         AttachmentPart::kFile,
                                         offset,
                                         static_cast<std::int64_t>(kAttachmentPieceBytes));
        },
        std::move(done));
}

void AttachmentDesk::remove(ConversationKey composer, AttachmentId id, Done<void> done) {
    store_.call(
        alive_,
        [composer = std::move(composer), id = std::move(id)](SessionStore& store) {
            return store.remove_attachment(composer, id);
        },
        std::move(done));
}

Result<fs::path> AttachmentDesk::temporary_file() const {
    std::error_code error;
    fs::create_directories(deps_.folder, error);
    if (!error) fs::permissions(deps_.folder, fs::perms::owner_all, error);
    if (error)
        return fail(ErrorCode::kIo, "{} can't be made: {}", deps_.folder.string(), error.message());
    return deps_.folder / random_id();
}

}  // namespace notso::services
