// SqliteStore: the rows of conversations, each with its owner.
#include <algorithm>

#include "services/session/settings_columns.hpp"
#include "services/session/sqlite_store.hpp"
#include "services/session/store_errors.hpp"

namespace notso::services {
namespace {

using sqlite::Statement;

constexpr std::string_view kConversationColumns =
    "id, title, thinking, date, created_at, updated_at, model, leaf, pinned, owner, "
    "archived";
constexpr int kFirstSetting = 11;  // column

void bind(Statement& statement, const Conversation& conversation) {
    statement.bind(1, conversation.id.value)
        .bind(2, conversation.title)
        .bind(3, std::int64_t{conversation.thinking})
        .bind(4, conversation.date)
        .bind(5, conversation.created_at)
        .bind(6, conversation.updated_at)
        .bind(7, conversation.model)
        .bind(8, conversation.leaf.value)
        .bind(9, std::int64_t{conversation.pinned})
        .bind(10, conversation.owner.value)
        .bind(11, std::int64_t{conversation.archived});
    bind_settings(statement, kFirstSetting + 1, conversation.settings);
}

Conversation read_conversation(const Statement& row) {
    Conversation conversation{.id = {row.text(0)}, .title = row.text(1)};
    conversation.thinking = row.integer(2) != 0;
    conversation.date = row.text(3);
    conversation.created_at = row.integer(4);
    conversation.updated_at = row.integer(5);
    conversation.model = row.text(6);
    conversation.leaf = {row.text(7)};
    conversation.pinned = row.integer(8) != 0;
    conversation.owner = {row.text(9)};
    conversation.archived = row.integer(10) != 0;
    conversation.settings = read_settings(row, kFirstSetting);
    return conversation;
}

}  // namespace

Result<> SqliteStore::create_conversation(const Conversation& conversation) {
    if (conversation.owner == OwnerId{}) return no_owner();
    NOTSO_TRY(Statement insert,
              database_->prepare(fmt::format(
                  "INSERT INTO conversation ({}, {}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {})",
                  kConversationColumns,
                  kSettingsColumns,
                  kSettingsMarks)));
    bind(insert, conversation);
    return insert.run();
}

Result<std::vector<Conversation>> SqliteStore::list_conversations(const OwnerId& owner,
                                                                  std::int64_t limit) {
    NOTSO_TRY(
        Statement select,
        database_->prepare(fmt::format("SELECT {}, {} FROM conversation WHERE owner = ? AND "
                                       "trashed_at = 0 AND archived = 0 "
                                       "ORDER BY pinned DESC, updated_at DESC, seq DESC LIMIT ?",
                                       kConversationColumns,
                                       kSettingsColumns)));
    select.bind(1, owner.value).bind(2, std::max<std::int64_t>(limit, 0));
    return sqlite::read_all<Conversation>(select, read_conversation);
}

Result<std::vector<Conversation>> SqliteStore::archived_conversations(const OwnerId& owner,
                                                                      std::int64_t limit) {
    NOTSO_TRY(Statement select,
              database_->prepare(fmt::format("SELECT {}, {} FROM conversation WHERE owner = ? AND "
                                             "trashed_at = 0 AND archived = 1 "
                                             "ORDER BY updated_at DESC, seq DESC LIMIT ?",
                                             kConversationColumns,
                                             kSettingsColumns)));
    select.bind(1, owner.value).bind(2, std::max<std::int64_t>(limit, 0));
    return sqlite::read_all<Conversation>(select, read_conversation);
}

Result<Conversation> SqliteStore::conversation(const ConversationKey& key) {
    NOTSO_TRY(Statement select,
              database_->prepare(fmt::format(
                  "SELECT {}, {} FROM conversation WHERE id = ? AND owner = ? AND trashed_at = 0",
                  kConversationColumns,
                  kSettingsColumns)));
    NOTSO_TRY(const bool found, select.bind(1, key.id.value).bind(2, key.owner.value).step());
    if (!found) return no_conversation(key.id);
    return read_conversation(select);
}

Result<> SqliteStore::require(const ConversationKey& key) {
    NOTSO_CHECK(conversation(key));
    return {};
}

Result<> SqliteStore::update_conversation(const Conversation& conversation) {
    NOTSO_TRY(
        Statement update,
        database_->prepare(fmt::format(
            "UPDATE conversation SET title = ?2, thinking = ?3, date = ?4, created_at = ?5, "
            "updated_at = ?6, model = ?7, leaf = ?8, pinned = ?9, archived = ?11, ({}) = (?12, "
            "?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20) WHERE id = ?1 AND owner = ?10 AND trashed_at = 0",
            kSettingsColumns)));
    bind(update, conversation);
    NOTSO_CHECK(update.run());
    if (database_->changes() == 0) return no_conversation(conversation.id);
    return {};
}

Result<> SqliteStore::delete_conversation(const ConversationKey& key) {
    NOTSO_TRY(Statement remove,
              database_->prepare("DELETE FROM conversation WHERE id = ? AND owner = ?"));
    NOTSO_CHECK(remove.bind(1, key.id.value).bind(2, key.owner.value).run());
    if (database_->changes() == 0) return no_conversation(key.id);
    shed_words();
    return {};
}

Result<StoredAmount> SqliteStore::stored_amount(const OwnerId& owner) {
    NOTSO_TRY(Statement select,
              database_->prepare(
                  "SELECT count(*), coalesce(sum(bytes), 0) + (SELECT coalesce(sum(bytes + "
                  "iif(text_is_file, 0, text_bytes)), 0) FROM attachment WHERE owner = ?1) FROM "
                  "conversation WHERE owner = ?1"));
    NOTSO_CHECK(select.bind(1, owner.value).step());
    return StoredAmount{select.integer(0), select.integer(1)};
}

Result<OwnerId> SqliteStore::owner_of(const ConversationId& id) {
    NOTSO_TRY(Statement select, database_->prepare("SELECT owner FROM conversation WHERE id = ?"));
    NOTSO_TRY(const bool found, select.bind(1, id.value).step());
    if (!found) return no_conversation(id);
    return OwnerId{select.text(0)};
}

}  // namespace notso::services
