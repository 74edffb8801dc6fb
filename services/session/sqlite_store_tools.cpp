// SqliteStore: what tools were called for, what they may do, and what they have written down.
#include <map>
#include <utility>

#include "base/log.hpp"
#include "services/session/message_names.hpp"
#include "services/session/sqlite_store.hpp"

namespace notso::services {

using sqlite::Statement;
using sqlite::Transaction;

Result<> SqliteStore::add_tool_uses(const ConversationId& id, std::vector<Message>& messages) {
    if (messages.empty()) return {};
    NOTSO_TRY(Statement select,
              database_->prepare(
                  "SELECT message.id, tool_use.id, name, arguments, tool_use.state, output, round, "
                  "text_offset, sends_to FROM tool_use JOIN message ON message.seq = "
                  "tool_use.message WHERE "
                  "message.conversation = ? ORDER BY tool_use.seq"));
    select.bind(1, id.value);
    std::map<std::string, Message*> by_id;
    while (true) {
        NOTSO_TRY(const bool row, select.step());
        if (!row) return {};
        if (by_id.empty()) {
            for (Message& message : messages) by_id[message.id.value] = &message;
        }
        const auto owner = by_id.find(select.text(0));
        if (owner == by_id.end()) continue;
        owner->second->tool_uses.push_back(
            {.id = select.text(1),
             .name = select.text(2),
             .arguments = select.text(3),
             .state = value_of<ToolUseState>(select.text(4), kToolUseNames),
             .output = select.text(5),
             .round = select.integer(6),
             .text_offset = select.integer(7),
             .sends_to = select.text(8)});
    }
}

Result<> SqliteStore::put_tool_uses(const MessageId& id, const std::vector<ToolUse>& uses) {
    NOTSO_TRY(Transaction transaction, Transaction::begin(*database_));
    NOTSO_CHECK(write_tool_uses(id, uses));
    return transaction.commit();
}

Result<> SqliteStore::write_tool_uses(const MessageId& id, const std::vector<ToolUse>& uses) {
    for (const ToolUse& use : uses) {
        NOTSO_TRY(Statement put,
                  database_->prepare(
                      "INSERT INTO tool_use (message, id, name, arguments, state, output, round, "
                      "text_offset, sends_to) SELECT seq, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM "
                      "message WHERE id = ?1 ON CONFLICT (message, id) DO UPDATE SET state = "
                      "?5, output = ?6"));
        put.bind(1, id.value)
            .bind(2, use.id)
            .bind(3, use.name)
            .bind(4, use.arguments)
            .bind(5, name_of(use.state))
            .bind(6, use.output)
            .bind(7, use.round)
            .bind(8, use.text_offset)
            .bind(9, use.sends_to);
        NOTSO_CHECK(put.run());
        if (database_->changes() == 0)
            return fail(
                ErrorCode::kNotFound, "no message {}: it was deleted", log::field(id.value));
    }
    return {};
}

Result<std::vector<std::string>> SqliteStore::allowed_tools(const OwnerId& owner) {
    NOTSO_TRY(Statement select,
              database_->prepare("SELECT name FROM allowed_tool WHERE owner = ? ORDER BY name"));
    select.bind(1, owner.value);
    std::vector<std::string> names;
    while (true) {
        NOTSO_TRY(const bool row, select.step());
        if (!row) return names;
        names.push_back(select.text(0));
    }
}

Result<> SqliteStore::allow_tool(const OwnerId& owner, const std::string& name) {
    NOTSO_TRY(Statement insert,
              database_->prepare("INSERT OR IGNORE INTO allowed_tool (owner, name) VALUES (?, ?)"));
    return insert.bind(1, owner.value).bind(2, name).run();
}

Result<> SqliteStore::disallow_tool(const OwnerId& owner, const std::string& name) {
    NOTSO_TRY(Statement remove,
              database_->prepare("DELETE FROM allowed_tool WHERE owner = ? AND name = ?"));
    NOTSO_CHECK(remove.bind(1, owner.value).bind(2, name).run());
    if (database_->changes() == 0)
        return fail(ErrorCode::kNotFound, "{} is not always allowed", log::field(name));
    return {};
}

Result<std::vector<StoredNote>> SqliteStore::notes(const ConversationKey& key) {
    NOTSO_CHECK(require(key));
    NOTSO_TRY(Statement select,
              database_->prepare("SELECT number, text FROM note WHERE conversation = ? AND gone = "
                                 "0 ORDER BY number"));
    select.bind(1, key.id.value);
    std::vector<StoredNote> found;
    while (true) {
        NOTSO_TRY(const bool row, select.step());
        if (!row) return found;
        found.push_back({select.integer(0), select.text(1)});
    }
}

Result<StoredNote> SqliteStore::add_note(const ConversationKey& key, const std::string& text) {
    NOTSO_CHECK(require(key));
    NOTSO_TRY(Transaction transaction, Transaction::begin(*database_));
    NOTSO_TRY(
        Statement last,
        database_->prepare("SELECT coalesce(max(number), 0) + 1 FROM note WHERE conversation = ?"));
    NOTSO_CHECK(last.bind(1, key.id.value).step());
    StoredNote note{last.integer(0), text};
    NOTSO_TRY(Statement insert,
              database_->prepare("INSERT INTO note (conversation, number, text) VALUES (?, ?, ?)"));
    NOTSO_CHECK(insert.bind(1, key.id.value).bind(2, note.number).bind(3, text).run());
    NOTSO_CHECK(transaction.commit());
    return note;
}

/// The row stays, without its text, so that no other note gets its number.
Result<> SqliteStore::remove_note(const ConversationKey& key, std::int64_t number) {
    NOTSO_CHECK(require(key));
    NOTSO_TRY(Statement remove,
              database_->prepare("UPDATE note SET text = '', gone = 1 WHERE conversation = ? AND "
                                 "number = ? AND gone = 0"));
    NOTSO_CHECK(remove.bind(1, key.id.value).bind(2, number).run());
    if (database_->changes() == 0) return fail(ErrorCode::kNotFound, "there is no note {}", number);
    shed_log();
    return {};
}

}  // namespace notso::services
