#include "services/session/sqlite_store.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "services/session/message_names.hpp"
#include "services/session/sqlite_schema.hpp"
#include "services/session/store_errors.hpp"

namespace notso::services {
namespace {

using sqlite::Statement;
using sqlite::Transaction;

constexpr std::string_view kMessageColumns =
    "id, conversation, parent, role, state, text, thinking, error, prompt_tokens, cached_tokens, "
    "completion_tokens, reasoning_tokens, first_token_ms, tokens_per_second, thinking_ms, "
    "client_id, created_at, draft_tokens, accepted_tokens, thinking_end, model";

Message read_message(const Statement& row) {
    Message message{.id = {row.text(0)}, .conversation = {row.text(1)}, .text = row.text(5)};
    if (!row.is_null(2)) message.parent = MessageId{row.text(2)};
    message.role = value_of<MessageRole>(row.text(3), kRoleNames);
    message.state = value_of<MessageState>(row.text(4), kStateNames);
    message.thinking = row.text(6);
    message.error = row.text(7);
    message.stats = {.prompt_tokens = row.integer(8),
                     .cached_tokens = row.integer(9),
                     .completion_tokens = row.integer(10),
                     .reasoning_tokens = row.integer(11),
                     .first_token_ms = row.real(12),
                     .tokens_per_second = row.real(13),
                     .thinking_ms = row.real(14)};
    message.client_id = row.text(15);
    message.created_at = row.integer(16);
    message.stats.draft_tokens = row.integer(17);
    message.stats.accepted_tokens = row.integer(18);
    message.stats.thinking_end = static_cast<ThinkingEndReason>(row.integer(19));
    message.stats.model = row.text(20);
    return message;
}

// Binds what may change of a message to 12 parameters from `first` on.
void bind_changing(Statement& statement, int first, const Message& message) {
    const MessageStats& stats = message.stats;
    statement.bind(first, name_of(message.state))
        .bind(first + 1, message.text)
        .bind(first + 2, message.thinking)
        .bind(first + 3, message.error)
        .bind(first + 4, stats.prompt_tokens)
        .bind(first + 5, stats.cached_tokens)
        .bind(first + 6, stats.completion_tokens)
        .bind(first + 7, stats.reasoning_tokens)
        .bind(first + 8, stats.first_token_ms)
        .bind(first + 9, stats.tokens_per_second)
        .bind(first + 10, stats.thinking_ms);
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& path,
                                                       SqliteOptions options) {
    NOTSO_TRY(auto database, sqlite::Database::open(path));
    // Deleted text is overwritten; the log is cut back after a burst; memory mapping stays off.
    NOTSO_CHECK(
        database->execute("PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
                          "PRAGMA mmap_size = 0; PRAGMA synchronous = FULL;"
                          "PRAGMA journal_size_limit = 16777216;"));
    NOTSO_TRY(const std::string mode, database->query_text("PRAGMA journal_mode = WAL"));
    if (mode != "wal")
        log::warn("database {}: no write-ahead log here, writes are slower", database->path());
    if (options.max_bytes > 0) {
        NOTSO_TRY(const std::int64_t page, database->query_integer("PRAGMA page_size"));
        NOTSO_CHECK(
            database->execute(fmt::format("PRAGMA max_page_count = {}", options.max_bytes / page)));
    }
    NOTSO_CHECK(migrate(*database));
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(database)));
}

Result<> SqliteStore::delete_all_of(const OwnerId& owner) {
    NOTSO_TRY(Transaction transaction, Transaction::begin(*database_));
    for (const std::string_view sql : {"DELETE FROM conversation WHERE owner = ?",
                                       "DELETE FROM attachment WHERE owner = ?",
                                       "DELETE FROM allowed_tool WHERE owner = ?",
                                       "DELETE FROM owner_settings WHERE owner = ?"}) {
        NOTSO_TRY(Statement remove, database_->prepare(sql));
        NOTSO_CHECK(remove.bind(1, owner.value).run());
    }
    NOTSO_CHECK(transaction.commit());
    shed_words();
    return {};
}

Result<> SqliteStore::clear_messages(const ConversationKey& key) {
    NOTSO_CHECK(require(key));
    NOTSO_TRY(Transaction transaction, Transaction::begin(*database_));
    for (const std::string_view rows :
         {"attachment WHERE state = 'waiting' AND", "message WHERE", "waiting_message WHERE"}) {
        NOTSO_TRY(Statement remove,
                  database_->prepare(fmt::format("DELETE FROM {} conversation = ?", rows)));
        NOTSO_CHECK(remove.bind(1, key.id.value).run());
    }
    NOTSO_CHECK(transaction.commit());
    shed_words();
    return {};
}

// Deleted words are still in the index until its parts are joined. When that fails now, the next
// delete does it.
void SqliteStore::shed_words() {
    const Result<> shed =
        database_->execute("INSERT INTO message_index (message_index) VALUES ('optimize')");
    if (!shed) log::warn("deleted words are still in the index: {}", shed.error().detail);
    shed_log();
}

// Deleted text is still in the log until it is moved into the file and the log is cut. When that
// fails now, the next checkpoint does it.
void SqliteStore::shed_log() {
    const Result<> shed = database_->execute("PRAGMA wal_checkpoint(TRUNCATE)");
    if (!shed) log::warn("deleted text is still in the log: {}", shed.error().detail);
}

Result<std::vector<Message>> SqliteStore::messages(const ConversationKey& key) {
    NOTSO_CHECK(require(key));
    NOTSO_TRY(Statement select,
              database_->prepare(fmt::format(
                  "SELECT {} FROM message WHERE conversation = ? ORDER BY seq", kMessageColumns)));
    select.bind(1, key.id.value);
    NOTSO_TRY(auto found, sqlite::read_all<Message>(select, read_message));
    NOTSO_CHECK(add_pieces(found));
    NOTSO_CHECK(add_tool_uses(key.id, found));
    NOTSO_CHECK(add_files(key.id, found));
    return found;
}

Result<std::vector<RunningAnswer>> SqliteStore::running_messages() {
    NOTSO_TRY(Statement select,
              database_->prepare(fmt::format(
                  "SELECT {} FROM message WHERE state = 'running' ORDER BY seq", kMessageColumns)));
    NOTSO_TRY(auto found, sqlite::read_all<Message>(select, read_message));
    NOTSO_CHECK(add_pieces(found));
    std::vector<RunningAnswer> running;
    for (Message& message : found) {
        std::vector<Message> one{std::move(message)};
        NOTSO_CHECK(add_tool_uses(one.front().conversation, one));
        NOTSO_TRY(OwnerId owner, owner_of(one.front().conversation));
        NOTSO_TRY(one.front().journal, journal(one.front().id));
        running.push_back({std::move(owner), std::move(one.front())});
    }
    return running;
}

Result<> SqliteStore::append_messages(const OwnerId& owner, const std::vector<Message>& messages) {
    NOTSO_TRY(Transaction transaction, Transaction::begin(*database_));
    for (const Message& message : messages) {
        NOTSO_CHECK(insert(message));
        NOTSO_CHECK(link_files(owner, message));
        NOTSO_TRY(Statement touch,
                  database_->prepare("UPDATE conversation SET updated_at = max(updated_at, ?2), "
                                     "leaf = ?3 WHERE id = ?1 AND owner = ?4 AND trashed_at = 0"));
        NOTSO_CHECK(touch.bind(1, message.conversation.value)
                        .bind(2, message.created_at)
                        .bind(3, message.id.value)
                        .bind(4, owner.value)
                        .run());
        if (database_->changes() == 0) return no_conversation(message.conversation);
    }
    return transaction.commit();
}

Result<> SqliteStore::delete_messages(const ConversationKey& key,
                                      const std::vector<MessageId>& ids) {
    NOTSO_CHECK(require(key));
    NOTSO_TRY(Transaction transaction, Transaction::begin(*database_));
    for (const MessageId& id : ids) {
        for (const std::string_view sql :
             {"UPDATE message SET parent = (SELECT parent FROM message WHERE id = ?1) WHERE "
              "parent = ?1 AND conversation = ?2",
              "UPDATE conversation SET leaf = coalesce((SELECT parent FROM message WHERE id = ?1), "
              "'') WHERE leaf = ?1 AND id = ?2",
              "DELETE FROM summary WHERE message IN (SELECT seq FROM message WHERE conversation = "
              "?2)",
              "DELETE FROM message WHERE id = ?1 AND conversation = ?2"}) {
            NOTSO_TRY(Statement change, database_->prepare(sql));
            NOTSO_CHECK(change.bind(1, id.value).bind(2, key.id.value).run());
        }
        if (database_->changes() == 0) return no_message(id);
    }
    NOTSO_CHECK(transaction.commit());
    shed_words();
    return {};
}

Result<> SqliteStore::insert(const Message& message) {
    NOTSO_TRY(
        Statement insert,
        database_->prepare(fmt::format(
            "INSERT INTO message ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
            "?, ?, ?, ?)",
            kMessageColumns)));
    insert.bind(1, message.id.value)
        .bind(2, message.conversation.value)
        .bind(4, name_of(message.role))
        .bind(17, message.created_at)
        .bind(18, message.stats.draft_tokens)
        .bind(19, message.stats.accepted_tokens)
        .bind(20, static_cast<std::int64_t>(message.stats.thinking_end))
        .bind(21, message.stats.model);
    if (message.parent) insert.bind(3, message.parent->value);
    bind_changing(insert, 5, message);
    if (!message.client_id.empty()) insert.bind(16, message.client_id);
    return insert.run();
}

Result<std::optional<Message>> SqliteStore::find_by_client_id(const ConversationKey& key,
                                                              const std::string& client_id) {
    NOTSO_TRY(
        Statement select,
        database_->prepare(fmt::format(
            "SELECT {} FROM message WHERE conversation = ? AND client_id = ? AND EXISTS (SELECT 1 "
            "FROM conversation WHERE id = message.conversation AND owner = ? AND trashed_at = 0)",
            kMessageColumns)));
    select.bind(1, key.id.value).bind(2, client_id).bind(3, key.owner.value);
    NOTSO_TRY(const bool found, select.step());
    if (!found) return std::nullopt;
    std::vector<Message> one{read_message(select)};
    NOTSO_CHECK(add_files(key.id, one));
    return std::move(one.front());
}

Result<> SqliteStore::update_message(const Message& message) {
    NOTSO_TRY(Transaction transaction, Transaction::begin(*database_));
    NOTSO_CHECK(write(message));
    return transaction.commit();
}

// Writes the whole of what may change; the pieces are in it.
Result<> SqliteStore::write(const Message& message) {
    NOTSO_TRY(Statement update,
              database_->prepare("UPDATE message SET state = ?2, text = ?3, thinking = ?4, error = "
                                 "?5, prompt_tokens = ?6, "
                                 "cached_tokens = ?7, completion_tokens = ?8, reasoning_tokens = "
                                 "?9, first_token_ms = ?10, "
                                 "tokens_per_second = ?11, thinking_ms = ?12, "
                                 "draft_tokens = ?13, accepted_tokens = ?14, thinking_end = ?15, "
                                 "model = ?16 "
                                 "WHERE id = ?1"));
    update.bind(1, message.id.value)
        .bind(13, message.stats.draft_tokens)
        .bind(14, message.stats.accepted_tokens)
        .bind(15, static_cast<std::int64_t>(message.stats.thinking_end))
        .bind(16, message.stats.model);
    bind_changing(update, 2, message);
    NOTSO_CHECK(update.run());
    if (database_->changes() == 0) return no_message(message.id);
    return write_journal(message);
}

Result<bool> SqliteStore::syncs_writes() {
    constexpr std::int64_t kFull = 2;
    NOTSO_TRY(const std::int64_t level, database_->query_integer("PRAGMA synchronous"));
    return level >= kFull;
}

Result<> SqliteStore::check_integrity() {
    NOTSO_TRY(const std::string found, database_->query_text("PRAGMA integrity_check(1)"));
    if (found == "ok") return {};
    return fail(ErrorCode::kCorruptData,
                "database {} is damaged ({}): move it away, or put a backup in its place",
                database_->path(),
                found);
}

}  // namespace notso::services
