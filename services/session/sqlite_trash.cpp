// SqliteStore: conversations that were deleted a moment ago and can still be restored.
#include "base/log.hpp"
#include "services/session/sqlite_store.hpp"

namespace notso::services {

using sqlite::Statement;

Result<> SqliteStore::trash_conversation(const ConversationId& id, UnixMs at) {
    NOTSO_CHECK(require(id));
    NOTSO_TRY(Statement update,
              database_->prepare("UPDATE conversation SET trashed_at = max(?2, 1) WHERE id = ?1"));
    return update.bind(1, id.value).bind(2, at).run();
}

Result<> SqliteStore::restore_conversation(const ConversationId& id) {
    NOTSO_TRY(Statement update,
              database_->prepare(
                  "UPDATE conversation SET trashed_at = 0 WHERE id = ? AND trashed_at <> 0"));
    NOTSO_CHECK(update.bind(1, id.value).run());
    if (database_->changes() == 0) {
        return fail(ErrorCode::kNotFound,
                    "conversation {} can't be restored: it was deleted for good",
                    log::field(id.value));
    }
    return {};
}

Result<std::vector<TrashedConversation>> SqliteStore::trashed_conversations() {
    NOTSO_TRY(Statement select,
              database_->prepare("SELECT id, trashed_at FROM conversation WHERE trashed_at <> 0 "
                                 "ORDER BY trashed_at, seq"));
    std::vector<TrashedConversation> found;
    while (true) {
        NOTSO_TRY(const bool row, select.step());
        if (!row) return found;
        found.push_back({{select.text(0)}, select.integer(1)});
    }
}

}  // namespace notso::services
