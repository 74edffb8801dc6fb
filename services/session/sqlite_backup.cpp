// SqliteStore: whole conversations, and copies of everything by SQLite's own backup, which sees a
// state that fits together while the store is written to.
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "services/session/sqlite_store.hpp"
#include "services/session/store_errors.hpp"

namespace notso::services {
namespace {

using sqlite::Database;
using sqlite::Statement;
using sqlite::Transaction;

constexpr int kPagesPerStep = 512;  // 2 MiB: other work waits no longer than that takes

/// Copies to `<path>.part`, which becomes `path` when it is whole.
class SqliteBackup final : public StoreBackup {
  public:
    SqliteBackup(std::filesystem::path path, std::unique_ptr<Database> target)
        : path_(std::move(path)), target_(std::move(target)) {}

    ~SqliteBackup() override {
        close();
        std::error_code ignored;
        if (!whole_) std::filesystem::remove(part_of(path_), ignored);
    }

    static std::filesystem::path part_of(const std::filesystem::path& path) {
        return path.string() + ".part";
    }

    Result<> begin(Database& source) {
        backup_ = sqlite3_backup_init(target_->handle(), "main", source.handle(), "main");
        if (backup_ == nullptr)
            return std::unexpected(target_->error(sqlite3_errcode(target_->handle())));
        return {};
    }

    Result<bool> step() override {
        const int code = sqlite3_backup_step(backup_, kPagesPerStep);
        if (code == SQLITE_OK) return true;
        if (code != SQLITE_DONE) return std::unexpected(target_->error(code));
        NOTSO_CHECK(finish());
        return false;
    }

  private:
    void close() {
        if (backup_ != nullptr) sqlite3_backup_finish(std::exchange(backup_, nullptr));
        target_.reset();
    }

    /// One file, on the disk, in its place.
    Result<> finish() {
        sqlite3_backup_finish(std::exchange(backup_, nullptr));
        NOTSO_CHECK(target_->execute("PRAGMA journal_mode = DELETE"));
        target_.reset();
        std::error_code error;
        std::filesystem::rename(part_of(path_), path_, error);
        if (error)
            return fail(ErrorCode::kIo, "{} can't be written: {}", path_.string(), error.message());
        whole_ = true;
        return {};
    }

    std::filesystem::path path_;
    std::unique_ptr<Database> target_;
    sqlite3_backup* backup_ = nullptr;
    bool whole_ = false;
};

}  // namespace

Result<std::unique_ptr<StoreBackup>> SqliteStore::begin_backup(const std::filesystem::path& path) {
    std::error_code error;
    const std::filesystem::path part = SqliteBackup::part_of(path);
    for (const std::filesystem::path& taken : {path, part}) {
        if (std::filesystem::exists(taken, error))
            return fail(ErrorCode::kAlreadyExists,
                        "{} is there already: choose another name, or move it away",
                        taken.string());
    }
    NOTSO_TRY(auto target, Database::open(part));
    auto backup = std::make_unique<SqliteBackup>(path, std::move(target));
    NOTSO_CHECK(backup->begin(*database_));
    return backup;
}

Result<> SqliteStore::add_whole(const WholeConversation& whole) {
    NOTSO_TRY(Transaction transaction, Transaction::begin(*database_));
    NOTSO_CHECK(create_conversation(whole.conversation));
    for (const AttachmentId& id : attachments_of(whole)) NOTSO_CHECK(finish_attachment(id));
    for (const Message& message : whole.messages) {
        NOTSO_CHECK(insert(message));
        NOTSO_CHECK(link_files(whole.conversation.owner, message));
        NOTSO_CHECK(write_tool_uses(message.id, message.tool_uses));
    }
    for (const Summary& summary : whole.summaries)
        NOTSO_CHECK(put_summary(whole.conversation.key(), summary));
    for (const StoredNote& note : whole.notes) {
        NOTSO_TRY(
            Statement insert,
            database_->prepare("INSERT INTO note (conversation, number, text) VALUES (?, ?, ?)"));
        NOTSO_CHECK(insert.bind(1, whole.conversation.id.value)
                        .bind(2, note.number)
                        .bind(3, note.text)
                        .run());
    }
    for (const WaitingMessage& message : whole.waiting) NOTSO_CHECK(insert(message));
    return transaction.commit();
}

}  // namespace notso::services
