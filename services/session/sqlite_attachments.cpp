// SqliteStore: files of messages. Their bytes are rows of a mebibyte each, so that no call holds
// the database for long and none needs a whole file in memory.
#include <algorithm>
#include <map>
#include <utility>

#include "base/log.hpp"
#include "services/session/sqlite_store.hpp"
#include "services/session/store_errors.hpp"

namespace notso::services {
namespace {

using sqlite::Statement;
using sqlite::Transaction;

constexpr std::string_view kFileColumns =
    "attachment.id, attachment.name, attachment.media_type, attachment.bytes, attachment.sha256, "
    "attachment.text_bytes, attachment.text_is_file, attachment.created_at";

AttachedFile read_file(const Statement& row) {
    return {.id = {row.text(0)},
            .name = row.text(1),
            .media_type = row.text(2),
            .bytes = row.integer(3),
            .sha256 = row.text(4),
            .text_bytes = row.integer(5),
            .text_is_file = row.integer(6) != 0,
            .created_at = row.integer(7)};
}

std::string_view name_of(AttachmentPart part) {
    return part == AttachmentPart::kFile ? "file" : "text";
}

/// Of the next new conversation: NULL.
Statement& bind_composer(Statement& statement, int index, const ConversationKey& composer) {
    if (composer.id.value.empty()) return statement.bind_null(index);
    return statement.bind(index, composer.id.value);
}

}  // namespace

/// The composer of the next conversation is always there.
Result<> SqliteStore::require_composer(const ConversationKey& composer) {
    if (composer.owner == OwnerId{}) return no_owner();
    if (composer.id.value.empty()) return {};
    return require(composer);
}

Result<> SqliteStore::begin_attachment(const ConversationKey& composer, const AttachedFile& file) {
    NOTSO_CHECK(require_composer(composer));
    NOTSO_TRY(Statement insert,
              database_->prepare(
                  "INSERT INTO attachment (id, name, media_type, bytes, sha256, text_bytes, "
                  "text_is_file, created_at, owner, state, conversation) VALUES (?, ?, ?, ?, ?, "
                  "?, ?, ?, ?, 'coming', ?)"));
    insert.bind(1, file.id.value)
        .bind(2, file.name)
        .bind(3, file.media_type)
        .bind(4, file.bytes)
        .bind(5, file.sha256)
        .bind(6, file.text_bytes)
        .bind(7, std::int64_t{file.text_is_file})
        .bind(8, file.created_at)
        .bind(9, composer.owner.value);
    return bind_composer(insert, 10, composer).run();
}

Result<> SqliteStore::append_attachment(const AttachmentId& id,
                                        AttachmentPart part,
                                        std::string_view bytes) {
    NOTSO_TRY(Statement insert,
              database_->prepare(
                  "INSERT INTO attachment_piece (attachment, part, start, bytes) SELECT seq, ?2, "
                  "(SELECT coalesce(sum(length(bytes)), 0) FROM attachment_piece WHERE attachment "
                  "= attachment.seq AND part = ?2), ?3 FROM attachment WHERE id = ?1 AND state = "
                  "'coming'"));
    NOTSO_CHECK(insert.bind(1, id.value).bind(2, name_of(part)).bind_blob(3, bytes).run());
    return database_->changes() > 0 ? Result<>() : no_attachment(id);
}

Result<> SqliteStore::finish_attachment(const AttachmentId& id) {
    NOTSO_TRY(
        Statement select,
        database_->prepare(
            "SELECT bytes = (SELECT coalesce(sum(length(piece.bytes)), 0) FROM attachment_piece AS "
            "piece WHERE piece.attachment = attachment.seq AND part = 'file') AND CASE "
            "text_is_file WHEN 1 THEN bytes ELSE (SELECT coalesce(sum(length(piece.bytes)), 0) "
            "FROM attachment_piece AS piece WHERE piece.attachment = attachment.seq AND part = "
            "'text') END = text_bytes FROM attachment WHERE id = ? AND state = 'coming'"));
    NOTSO_TRY(const bool found, select.bind(1, id.value).step());
    if (!found) return no_attachment(id);
    if (select.integer(0) == 0)
        return fail(ErrorCode::kCorruptData, "a file is not as long as it says: attach it again");
    NOTSO_TRY(Statement update,
              database_->prepare("UPDATE attachment SET state = 'composer' WHERE id = ?"));
    return update.bind(1, id.value).run();
}

Result<std::vector<AttachedFile>> SqliteStore::composer_files(const ConversationKey& composer) {
    NOTSO_CHECK(require_composer(composer));
    NOTSO_TRY(Statement select,
              database_->prepare(
                  fmt::format("SELECT {} FROM attachment WHERE owner = ? AND conversation IS ? AND "
                              "state = 'composer' ORDER BY seq",
                              kFileColumns)));
    bind_composer(select.bind(1, composer.owner.value), 2, composer);
    return sqlite::read_all<AttachedFile>(select, read_file);
}

Result<AttachedFile> SqliteStore::attachment(const ConversationKey& key, const AttachmentId& id) {
    NOTSO_CHECK(require_composer(key));
    NOTSO_TRY(
        Statement select,
        database_->prepare(fmt::format("SELECT {} FROM attachment WHERE id = ? AND owner = ? AND "
                                       "conversation IS ? AND state <> 'coming'",
                                       kFileColumns)));
    bind_composer(select.bind(1, id.value).bind(2, key.owner.value), 3, key);
    NOTSO_TRY(const bool found, select.step());
    if (!found) return no_attachment(id);
    return read_file(select);
}

Result<std::string> SqliteStore::read_attachment(const AttachedFile& file,
                                                 AttachmentPart part,
                                                 std::int64_t offset,
                                                 std::int64_t most) {
    const AttachmentPart stored = file.text_is_file ? AttachmentPart::kFile : part;
    NOTSO_TRY(Statement select,
              database_->prepare(
                  "SELECT start, piece.bytes FROM attachment_piece AS piece JOIN attachment ON "
                  "attachment.seq = piece.attachment WHERE attachment.id = ?1 AND part = ?2 AND "
                  "start < ?3 + ?4 AND start + length(piece.bytes) > ?3 ORDER BY start"));
    select.bind(1, file.id.value).bind(2, name_of(stored)).bind(3, offset).bind(4, most);
    std::string out;
    while (true) {
        NOTSO_TRY(const bool row, select.step());
        if (!row) break;
        const std::int64_t skipped = std::max<std::int64_t>(offset - select.integer(0), 0);
        out += std::string_view(select.blob(1)).substr(static_cast<std::size_t>(skipped));
    }
    if (!out.empty()) {
        out.resize(std::min(out.size(), static_cast<std::size_t>(most)));
        return out;
    }
    NOTSO_TRY(Statement there, database_->prepare("SELECT 1 FROM attachment WHERE id = ?"));
    NOTSO_TRY(const bool found, there.bind(1, file.id.value).step());
    if (!found) return no_attachment(file.id);
    return out;
}

Result<> SqliteStore::remove_attachment(const ConversationKey& composer, const AttachmentId& id) {
    NOTSO_CHECK(require_composer(composer));
    NOTSO_TRY(Statement remove,
              database_->prepare("DELETE FROM attachment WHERE id = ? AND owner = ? AND "
                                 "conversation IS ? AND state IN ('coming', 'composer')"));
    NOTSO_CHECK(
        bind_composer(remove.bind(1, id.value).bind(2, composer.owner.value), 3, composer).run());
    if (database_->changes() == 0) return no_attachment(id);
    shed_log();
    return {};
}

Result<std::int64_t> SqliteStore::remove_unsent(UnixMs begun_before, UnixMs unsent_before) {
    NOTSO_TRY(Statement remove,
              database_->prepare(
                  "DELETE FROM attachment WHERE (state = 'coming' AND created_at < ?) OR (state = "
                  "'composer' AND created_at < ?)"));
    NOTSO_CHECK(remove.bind(1, begun_before).bind(2, unsent_before).run());
    const std::int64_t removed = database_->changes();
    if (removed > 0) shed_log();
    return removed;
}

/// Gives a message that was just written its files.
Result<> SqliteStore::link_files(const OwnerId& owner, const Message& message) {
    for (std::size_t i = 0; i < message.files.size(); ++i) {
        const AttachedFile& file = message.files[i];
        NOTSO_TRY(
            Statement link,
            database_->prepare(
                "INSERT INTO message_attachment (message, place, attachment, prompt_bytes) SELECT "
                "message.seq, ?3, attachment.seq, ?4 FROM message JOIN attachment ON "
                "(attachment.conversation IS NULL OR attachment.conversation = "
                "message.conversation) WHERE message.id = ?1 AND attachment.id = ?2 AND "
                "attachment.owner = ?5 AND attachment.state <> 'coming'"));
        link.bind(1, message.id.value)
            .bind(2, file.id.value)
            .bind(3, static_cast<std::int64_t>(i))
            .bind(5, owner.value);
        if (file.prompt_bytes) link.bind(4, *file.prompt_bytes);
        NOTSO_CHECK(link.run());
        if (database_->changes() == 0) return no_attachment(file.id);
        NOTSO_TRY(Statement take,
                  database_->prepare(
                      "UPDATE attachment SET state = 'message', conversation = ?2 WHERE id = ?1"));
        NOTSO_CHECK(take.bind(1, file.id.value).bind(2, message.conversation.value).run());
    }
    return {};
}

Result<> SqliteStore::add_files(const ConversationId& id, std::vector<Message>& messages) {
    if (messages.empty()) return {};
    NOTSO_TRY(Statement select,
              database_->prepare(fmt::format(
                  "SELECT {}, prompt_bytes, message.id FROM message JOIN message_attachment ON "
                  "message_attachment.message = message.seq JOIN attachment ON attachment.seq = "
                  "message_attachment.attachment WHERE message.conversation = ? ORDER BY "
                  "message.seq, place",
                  kFileColumns)));
    select.bind(1, id.value);
    std::map<std::string, Message*> by_id;
    while (true) {
        NOTSO_TRY(const bool row, select.step());
        if (!row) return {};
        if (by_id.empty()) {
            for (Message& message : messages) by_id[message.id.value] = &message;
        }
        const auto owner = by_id.find(select.text(9));
        if (owner == by_id.end()) continue;
        AttachedFile file = read_file(select);
        if (!select.is_null(8)) file.prompt_bytes = select.integer(8);
        owner->second->files.push_back(std::move(file));
    }
}

/// Takes the files of a message that waits out of the composer's sight.
Result<> SqliteStore::set_waiting_files(const WaitingMessage& message) {
    for (std::size_t i = 0; i < message.files.size(); ++i) {
        const AttachmentUse& use = message.files[i];
        NOTSO_TRY(Statement link,
                  database_->prepare(
                      "INSERT INTO waiting_attachment (waiting, place, attachment, prompt_bytes) "
                      "SELECT waiting_message.seq, ?3, attachment.seq, ?4 FROM waiting_message "
                      "JOIN attachment ON (attachment.conversation IS NULL OR "
                      "attachment.conversation = waiting_message.conversation) "
                      "WHERE waiting_message.conversation = ?5 AND client_id = ?1 AND "
                      "attachment.id = ?2 AND attachment.owner = ?6 AND attachment.state <> "
                      "'coming'"));
        link.bind(1, message.client_id)
            .bind(2, use.id.value)
            .bind(3, static_cast<std::int64_t>(i))
            .bind(5, message.conversation.value)
            .bind(6, message.owner.value);
        if (use.prompt_bytes) link.bind(4, *use.prompt_bytes);
        NOTSO_CHECK(link.run());
        if (database_->changes() == 0) return no_attachment(use.id);
        NOTSO_TRY(Statement take,
                  database_->prepare("UPDATE attachment SET state = 'waiting', conversation = ? "
                                     "WHERE id = ? AND state = 'composer'"));
        NOTSO_CHECK(take.bind(1, message.conversation.value).bind(2, use.id.value).run());
    }
    return {};
}

Result<> SqliteStore::add_waiting_files(const ConversationId& id,
                                        std::vector<WaitingMessage>& messages) {
    if (messages.empty()) return {};
    NOTSO_TRY(Statement select,
              database_->prepare(
                  "SELECT client_id, attachment.id, prompt_bytes FROM waiting_message JOIN "
                  "waiting_attachment ON waiting = waiting_message.seq JOIN attachment ON "
                  "attachment.seq = waiting_attachment.attachment WHERE "
                  "waiting_message.conversation = ? ORDER BY waiting_message.seq, place"));
    select.bind(1, id.value);
    while (true) {
        NOTSO_TRY(const bool row, select.step());
        if (!row) return {};
        const auto owner = std::ranges::find(messages, select.text(0), &WaitingMessage::client_id);
        if (owner == messages.end()) continue;
        AttachmentUse use{.id = {select.text(1)}};
        if (!select.is_null(2)) use.prompt_bytes = select.integer(2);
        owner->files.push_back(std::move(use));
    }
}

}  // namespace notso::services
