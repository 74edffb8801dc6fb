// SqliteStore: what stands in prompts for the beginning of a conversation.
#include "base/log.hpp"
#include "services/session/sqlite_store.hpp"

namespace notso::services {

using sqlite::Statement;

Result<std::vector<Summary>> SqliteStore::summaries(const ConversationKey& key) {
    NOTSO_CHECK(require(key));
    NOTSO_TRY(Statement select,
              database_->prepare(
                  "SELECT message.id, summary.text, summary.prompt_tokens, summary.created_at FROM "
                  "message JOIN summary ON summary.message = message.seq WHERE "
                  "message.conversation = ? ORDER BY message.seq"));
    select.bind(1, key.id.value);
    std::vector<Summary> found;
    while (true) {
        NOTSO_TRY(const bool row, select.step());
        if (!row) return found;
        found.push_back({{select.text(0)}, select.text(1), select.integer(2), select.integer(3)});
    }
}

Result<> SqliteStore::put_summary(const ConversationKey& key, const Summary& summary) {
    NOTSO_TRY(
        Statement put,
        database_->prepare(
            "INSERT OR REPLACE INTO summary (message, text, prompt_tokens, created_at) "
            "SELECT message.seq, ?2, ?3, ?4 FROM message JOIN conversation ON "
            "conversation.id = message.conversation WHERE message.id = ?1 AND conversation.id = "
            "?5 AND owner = ?6 AND trashed_at = 0"));
    NOTSO_CHECK(put.bind(1, summary.until.value)
                    .bind(2, summary.text)
                    .bind(3, summary.prompt_tokens)
                    .bind(4, summary.created_at)
                    .bind(5, key.id.value)
                    .bind(6, key.owner.value)
                    .run());
    if (database_->changes() > 0) return {};
    return fail(
        ErrorCode::kNotFound, "no message {}: it was deleted", log::field(summary.until.value));
}

}  // namespace notso::services
