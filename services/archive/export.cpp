#include "services/archive/export.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <limits>
#include <ranges>
#include <system_error>
#include <utility>

#include "services/archive/archive_files.hpp"
#include "services/archive/archive_json.hpp"

namespace notso::services {
namespace {

namespace fs = std::filesystem;

/// A new file, gone again unless it is kept.
class NewFile {
  public:
    static Result<NewFile> create(const fs::path& path) {
        const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) {
            ::close(fd);
            return NewFile(path);
        }
        const ErrorCode code = errno == EEXIST ? ErrorCode::kAlreadyExists : ErrorCode::kIo;
        return fail(code,
                    "{}: {}: choose another name",
                    path.string(),
                    std::generic_category().message(errno));
    }
    NewFile(NewFile&& other) noexcept
        : path_(std::exchange(other.path_, {})), out_(std::move(other.out_)) {}
    NewFile& operator=(NewFile&&) = delete;
    ~NewFile() {
        std::error_code ignored;
        if (!path_.empty()) fs::remove(path_, ignored);
    }

    Result<> write(std::string_view text) {
        out_.write(text.data(), static_cast<std::streamsize>(text.size()));
        return check();
    }
    Result<> keep() {
        out_.close();
        NOTSO_CHECK(check());
        path_.clear();
        return {};
    }

  private:
    explicit NewFile(const fs::path& path) : path_(path), out_(path, std::ios::binary) {}
    Result<> check() const {
        if (out_) return {};
        return fail(ErrorCode::kIo, "{} can't be written: is the disk full?", path_.string());
    }

    fs::path path_;
    std::ofstream out_;
};

/// Archived ones last.
Result<std::vector<Conversation>> all_conversations(SessionStore& store, const OwnerId& owner) {
    constexpr auto kAll = std::numeric_limits<std::int64_t>::max();
    NOTSO_TRY(auto all, store.list_conversations(owner, kAll));
    NOTSO_TRY(const auto archived, store.archived_conversations(owner, kAll));
    all.insert(all.end(), archived.begin(), archived.end());
    return all;
}

/// A conversation, its files before it. @return False: it was deleted meanwhile.
Result<bool> write_whole(StoreGate& gate,
                         const ConversationKey& key,
                         ArchiveText& text,
                         NewFile& file) {
    const auto whole = gate.run([&](SessionStore& store) { return load_whole(store, key); });
    if (!whole && whole.error().code == ErrorCode::kNotFound) return false;
    if (!whole) return std::unexpected(whole.error());
    const auto write = [&](const boost::json::object& element) {
        return file.write(text.next(element));
    };
    if (text.format() == ArchiveFormat::kJson) NOTSO_CHECK(write_files(gate, *whole, write));
    NOTSO_CHECK(file.write(text.next(*whole)));
    return true;
}

}  // namespace

Result<ArchiveFormat> parse_archive_format(std::string_view name) {
    if (name == "json") return ArchiveFormat::kJson;
    if (name == "md") return ArchiveFormat::kMarkdown;
    return fail(ErrorCode::kInvalidArgument, "the format of an export is md or json");
}

Result<WholeConversation> load_whole(SessionStore& store, const ConversationKey& key) {
    WholeConversation whole{.conversation = {.id = key.id, .title = {}}, .messages = {}};
    NOTSO_TRY(whole.conversation, store.conversation(key));
    NOTSO_TRY(whole.messages, store.messages(key));
    NOTSO_TRY(whole.summaries, store.summaries(key));
    NOTSO_TRY(whole.notes, store.notes(key));
    NOTSO_TRY(whole.waiting, store.waiting_messages(key));
    return whole;
}

std::string ArchiveText::next(const WholeConversation& whole) {
    if (format_ == ArchiveFormat::kJson) return next(to_archive(whole));
    return (std::exchange(first_, false) ? "" : "\n") + to_markdown(whole);
}

std::string ArchiveText::next(const boost::json::object& element) {
    return (std::exchange(first_, false) ? "\n" : ",\n") + boost::json::serialize(element);
}

Result<std::int64_t> export_file(StoreGate& gate,
                                 const OwnerId& owner,
                                 const fs::path& path,
                                 ArchiveFormat format) {
    NOTSO_TRY(NewFile file, NewFile::create(path));
    NOTSO_TRY(const auto all,
              gate.run([&](SessionStore& store) { return all_conversations(store, owner); }));
    ArchiveText text(format);
    NOTSO_CHECK(file.write(text.begin()));
    std::int64_t n_written = 0;
    for (const Conversation& one : all | std::views::reverse) {
        NOTSO_TRY(const bool written, write_whole(gate, one.key(), text, file));
        n_written += written ? 1 : 0;
    }
    NOTSO_CHECK(file.write(text.end()));
    NOTSO_CHECK(file.keep());
    return n_written;
}

Result<> export_conversation(StoreGate& gate, const ConversationKey& key, const fs::path& path) {
    NOTSO_TRY(NewFile file, NewFile::create(path));
    ArchiveText text(ArchiveFormat::kJson);
    NOTSO_CHECK(file.write(text.begin()));
    NOTSO_TRY(const bool written, write_whole(gate, key, text, file));
    if (!written) return fail(ErrorCode::kNotFound, "the conversation was deleted");
    NOTSO_CHECK(file.write(text.end()));
    return file.keep();
}

}  // namespace notso::services
