// SqliteStore: conversations that were deleted a moment ago and can still be restored.
#include "services/session/sqlite_store.hpp"
#include "services/session/store_errors.hpp"

namespace notso::services {

using sqlite::Statement;

Result<> SqliteStore::trash_conversation(const ConversationKey& key, UnixMs at) {
    NOTSO_CHECK(require(key));
    NOTSO_TRY(Statement update,
              database_->prepare("UPDATE conversation SET trashed_at = max(?2, 1) WHERE id = ?1"));
    return update.bind(1, key.id.value).bind(2, at).run();
}

Result<> SqliteStore::restore_conversation(const ConversationKey& key) {
    NOTSO_TRY(Statement update,
              database_->prepare("UPDATE conversation SET trashed_at = 0 WHERE id = ? AND owner = "
                                 "? AND trashed_at <> 0"));
    NOTSO_CHECK(update.bind(1, key.id.value).bind(2, key.owner.value).run());
    if (database_->changes() == 0) return nothing_to_restore(key.id);
    return {};
}

/// Joining the parts of the index, which is what takes long, is done once for all.
Result<> SqliteStore::delete_conversations(const std::vector<ConversationKey>& keys) {
    if (keys.empty()) return {};
    NOTSO_TRY(sqlite::Transaction transaction, sqlite::Transaction::begin(*database_));
    for (const ConversationKey& key : keys) {
        NOTSO_TRY(Statement remove,
                  database_->prepare("DELETE FROM conversation WHERE id = ? AND owner = ?"));
        NOTSO_CHECK(remove.bind(1, key.id.value).bind(2, key.owner.value).run());
    }
    NOTSO_CHECK(transaction.commit());
    shed_words();
    return {};
}

Result<std::vector<TrashedConversation>> SqliteStore::trashed_conversations() {
    NOTSO_TRY(Statement select,
              database_->prepare("SELECT owner, id, trashed_at FROM conversation WHERE "
                                 "trashed_at <> 0 ORDER BY trashed_at, seq"));
    std::vector<TrashedConversation> found;
    while (true) {
        NOTSO_TRY(const bool row, select.step());
        if (!row) return found;
        const ConversationKey key({select.text(0)}, {select.text(1)});
        found.push_back({key, select.integer(2)});
    }
}

}  // namespace notso::services
