#include "services/session/sqlite_store.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.hpp"
#include "services/session/message_names.hpp"
#include "services/session/sqlite_schema.hpp"

namespace notso::services {
namespace {

using sqlite::Statement;
using sqlite::Transaction;

constexpr std::string_view kConversationColumns =
    "id, title, thinking, temperature, system_prompt, date, created_at, updated_at, model, leaf, "
    "pinned";

void bind(Statement& statement, const Conversation& conversation) {
    statement.bind(1, conversation.id.value)
        .bind(2, conversation.title)
        .bind(3, std::int64_t{conversation.thinking})
        .bind(5, conversation.system_prompt)
        .bind(6, conversation.date)
        .bind(7, conversation.created_at)
        .bind(8, conversation.updated_at)
        .bind(9, conversation.model)
        .bind(10, conversation.leaf.value)
        .bind(11, std::int64_t{conversation.pinned});
    if (conversation.temperature) statement.bind(4, *conversation.temperature);
}

Conversation read_conversation(const Statement& row) {
    Conversation conversation{.id = {row.text(0)}, .title = row.text(1)};
    conversation.thinking = row.integer(2) != 0;
    if (!row.is_null(3)) conversation.temperature = row.real(3);
    conversation.system_prompt = row.text(4);
    conversation.date = row.text(5);
    conversation.created_at = row.integer(6);
    conversation.updated_at = row.integer(7);
    conversation.model = row.text(8);
    conversation.leaf = {row.text(9)};
    conversation.pinned = row.integer(10) != 0;
    return conversation;
}

constexpr std::string_view kMessageColumns =
    "id, conversation, parent, role, state, text, thinking, error, prompt_tokens, cached_tokens, "
    "completion_tokens, reasoning_tokens, first_token_ms, tokens_per_second, thinking_ms, "
    "client_id, created_at, draft_tokens, accepted_tokens, thinking_end";

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

template <class T, class Read>
Result<std::vector<T>> read_all(Statement& statement, Read read) {
    std::vector<T> rows;
    while (true) {
        NOTSO_TRY(const bool row, statement.step());
        if (!row) return rows;
        rows.push_back(read(statement));
    }
}

std::unexpected<Error> no_conversation(const ConversationId& id) {
    return fail(ErrorCode::kNotFound, "no conversation {}: it was deleted", log::field(id.value));
}

std::unexpected<Error> no_message(const MessageId& id) {
    return fail(ErrorCode::kNotFound, "no message {}: it was deleted", log::field(id.value));
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

Result<> SqliteStore::create_conversation(const Conversation& conversation) {
    NOTSO_TRY(Statement insert,
              database_->prepare(fmt::format(
                  "INSERT INTO conversation ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  kConversationColumns)));
    bind(insert, conversation);
    return insert.run();
}

Result<std::vector<Conversation>> SqliteStore::list_conversations(std::int64_t limit) {
    NOTSO_TRY(
        Statement select,
        database_->prepare(fmt::format("SELECT {} FROM conversation WHERE trashed_at = 0 "
                                       "ORDER BY pinned DESC, updated_at DESC, seq DESC LIMIT ?",
                                       kConversationColumns)));
    select.bind(1, std::max<std::int64_t>(limit, 0));
    return read_all<Conversation>(select, read_conversation);
}

Result<Conversation> SqliteStore::conversation(const ConversationId& id) {
    NOTSO_TRY(
        Statement select,
        database_->prepare(fmt::format(
            "SELECT {} FROM conversation WHERE id = ? AND trashed_at = 0", kConversationColumns)));
    NOTSO_TRY(const bool found, select.bind(1, id.value).step());
    if (!found) return no_conversation(id);
    return read_conversation(select);
}

Result<> SqliteStore::require(const ConversationId& id) {
    NOTSO_CHECK(conversation(id));
    return {};
}

Result<> SqliteStore::update_conversation(const Conversation& conversation) {
    NOTSO_TRY(
        Statement update,
        database_->prepare("UPDATE conversation SET title = ?2, thinking = ?3, temperature = ?4, "
                           "system_prompt = ?5, date = ?6, created_at = ?7, updated_at = ?8, "
                           "model = ?9, leaf = ?10, pinned = ?11 "
                           "WHERE id = ?1 AND trashed_at = 0"));
    bind(update, conversation);
    NOTSO_CHECK(update.run());
    if (database_->changes() == 0) return no_conversation(conversation.id);
    return {};
}

Result<> SqliteStore::delete_conversation(const ConversationId& id) {
    NOTSO_TRY(Statement remove, database_->prepare("DELETE FROM conversation WHERE id = ?"));
    NOTSO_CHECK(remove.bind(1, id.value).run());
    if (database_->changes() == 0) return no_conversation(id);
    shed_words();
    return {};
}

Result<> SqliteStore::clear_messages(const ConversationId& id) {
    NOTSO_CHECK(require(id));
    NOTSO_TRY(Transaction transaction, Transaction::begin(*database_));
    for (const std::string_view table : {"message", "waiting_message"}) {
        NOTSO_TRY(Statement remove,
                  database_->prepare(fmt::format("DELETE FROM {} WHERE conversation = ?", table)));
        NOTSO_CHECK(remove.bind(1, id.value).run());
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

Result<std::vector<Message>> SqliteStore::messages(const ConversationId& id) {
    NOTSO_CHECK(require(id));
    NOTSO_TRY(Statement select,
              database_->prepare(fmt::format(
                  "SELECT {} FROM message WHERE conversation = ? ORDER BY seq", kMessageColumns)));
    select.bind(1, id.value);
    NOTSO_TRY(auto found, read_all<Message>(select, read_message));
    NOTSO_CHECK(add_pieces(found));
    NOTSO_CHECK(add_tool_uses(id, found));
    return found;
}

Result<std::vector<Message>> SqliteStore::running_messages() {
    NOTSO_TRY(Statement select,
              database_->prepare(fmt::format(
                  "SELECT {} FROM message WHERE state = 'running' ORDER BY seq", kMessageColumns)));
    NOTSO_TRY(auto found, read_all<Message>(select, read_message));
    NOTSO_CHECK(add_pieces(found));
    for (Message& message : found) {
        std::vector<Message> one{std::move(message)};
        NOTSO_CHECK(add_tool_uses(one.front().conversation, one));
        message = std::move(one.front());
        NOTSO_TRY(message.journal, journal(message.id));
    }
    return found;
}

Result<> SqliteStore::append_messages(const std::vector<Message>& messages) {
    NOTSO_TRY(Transaction transaction, Transaction::begin(*database_));
    for (const Message& message : messages) {
        NOTSO_CHECK(insert(message));
        NOTSO_TRY(Statement touch,
                  database_->prepare("UPDATE conversation SET updated_at = max(updated_at, ?2), "
                                     "leaf = ?3 WHERE id = ?1 AND trashed_at = 0"));
        NOTSO_CHECK(touch.bind(1, message.conversation.value)
                        .bind(2, message.created_at)
                        .bind(3, message.id.value)
                        .run());
        if (database_->changes() == 0) return no_conversation(message.conversation);
    }
    return transaction.commit();
}

Result<> SqliteStore::delete_messages(const std::vector<MessageId>& ids) {
    NOTSO_TRY(Transaction transaction, Transaction::begin(*database_));
    for (const MessageId& id : ids) {
        for (const std::string_view sql :
             {"UPDATE message SET parent = (SELECT parent FROM message WHERE id = ?1) WHERE "
              "parent = ?1 AND conversation = (SELECT conversation FROM message WHERE id = ?1)",
              "UPDATE conversation SET leaf = coalesce((SELECT parent FROM message WHERE id = ?1), "
              "'') WHERE leaf = ?1",
              "DELETE FROM message WHERE id = ?1"}) {
            NOTSO_TRY(Statement change, database_->prepare(sql));
            NOTSO_CHECK(change.bind(1, id.value).run());
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
            "?, ?, ?)",
            kMessageColumns)));
    insert.bind(1, message.id.value)
        .bind(2, message.conversation.value)
        .bind(4, name_of(message.role))
        .bind(17, message.created_at)
        .bind(18, message.stats.draft_tokens)
        .bind(19, message.stats.accepted_tokens)
        .bind(20, static_cast<std::int64_t>(message.stats.thinking_end));
    if (message.parent) insert.bind(3, message.parent->value);
    bind_changing(insert, 5, message);
    if (!message.client_id.empty()) insert.bind(16, message.client_id);
    return insert.run();
}

Result<std::optional<Message>> SqliteStore::find_by_client_id(const ConversationId& id,
                                                              const std::string& client_id) {
    NOTSO_TRY(
        Statement select,
        database_->prepare(fmt::format(
            "SELECT {} FROM message WHERE conversation = ? AND client_id = ? AND EXISTS (SELECT 1 "
            "FROM conversation WHERE id = message.conversation AND trashed_at = 0)",
            kMessageColumns)));
    NOTSO_TRY(const bool found, select.bind(1, id.value).bind(2, client_id).step());
    if (!found) return std::nullopt;
    return read_message(select);
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
                                 "draft_tokens = ?13, accepted_tokens = ?14, thinking_end = ?15 "
                                 "WHERE id = ?1"));
    update.bind(1, message.id.value)
        .bind(13, message.stats.draft_tokens)
        .bind(14, message.stats.accepted_tokens)
        .bind(15, static_cast<std::int64_t>(message.stats.thinking_end));
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
