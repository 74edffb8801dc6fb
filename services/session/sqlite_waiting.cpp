// SqliteStore: messages that wait for the end of an answer.
#include <utility>

#include "base/log.hpp"
#include "services/session/sqlite_store.hpp"

namespace notso::services {

using sqlite::Statement;
using sqlite::Transaction;

Result<> SqliteStore::add_waiting(const WaitingMessage& message) {
    NOTSO_TRY(Transaction transaction, Transaction::begin(*database_));
    NOTSO_CHECK(insert(message));
    return transaction.commit();
}

Result<> SqliteStore::insert(const WaitingMessage& message) {
    NOTSO_CHECK(require(message.key()));
    NOTSO_TRY(Statement insert,
              database_->prepare("INSERT INTO waiting_message (conversation, client_id, text, "
                                 "created_at, thinking) VALUES (?, ?, ?, ?, ?)"));
    insert.bind(1, message.conversation.value)
        .bind(2, message.client_id)
        .bind(3, message.text)
        .bind(4, message.created_at);
    if (message.thinking) insert.bind(5, std::int64_t{*message.thinking});
    NOTSO_CHECK(insert.run());
    return set_waiting_files(message);
}

Result<std::vector<WaitingMessage>> SqliteStore::waiting_messages(const ConversationKey& key) {
    NOTSO_CHECK(require(key));
    NOTSO_TRY(Statement select,
              database_->prepare("SELECT client_id, text, created_at, thinking FROM "
                                 "waiting_message WHERE conversation = ? ORDER BY seq"));
    select.bind(1, key.id.value);
    std::vector<WaitingMessage> found;
    while (true) {
        NOTSO_TRY(const bool row, select.step());
        if (!row) break;
        found.push_back({.owner = key.owner,
                         .conversation = key.id,
                         .client_id = select.text(0),
                         .text = select.text(1),
                         .created_at = select.integer(2)});
        if (!select.is_null(3)) found.back().thinking = select.integer(3) != 0;
    }
    NOTSO_CHECK(add_waiting_files(key.id, found));
    return found;
}

Result<> SqliteStore::remove_waiting(const ConversationKey& key, const std::string& client_id) {
    NOTSO_TRY(
        Statement remove,
        database_->prepare("DELETE FROM waiting_message WHERE conversation = ? AND client_id = ?"));
    NOTSO_CHECK(remove.bind(1, key.id.value).bind(2, client_id).run());
    if (database_->changes() == 0)
        return fail(ErrorCode::kNotFound, "that message does not wait any more");
    shed_log();
    return {};
}

Result<std::vector<ConversationKey>> SqliteStore::conversations_with_waiting() {
    NOTSO_TRY(Statement select,
              database_->prepare("SELECT DISTINCT owner, conversation FROM waiting_message JOIN "
                                 "conversation ON conversation.id = waiting_message.conversation "
                                 "WHERE trashed_at = 0"));
    std::vector<ConversationKey> found;
    while (true) {
        NOTSO_TRY(const bool row, select.step());
        if (!row) return found;
        found.push_back({{select.text(0)}, {select.text(1)}});
    }
}

}  // namespace notso::services
