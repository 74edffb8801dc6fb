// SqliteStore: answers while they are written: the pieces that came since their row was written,
// and what it takes to go on with them.
#include <bit>
#include <cstring>
#include <map>
#include <utility>

#include "base/log.hpp"
#include "services/session/settings_columns.hpp"
#include "services/session/sqlite_store.hpp"

namespace notso::services {
namespace {

using sqlite::Statement;

// The database has them little end first.
static_assert(std::endian::native == std::endian::little);

constexpr int kJournalSettings = 11;  // column of a journal

std::string_view bytes_of(std::span<const std::int32_t> tokens) {
    return {reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes()};
}

void add_tokens(std::vector<std::int32_t>& tokens, std::string_view bytes) {
    std::int32_t token = 0;
    for (; bytes.size() >= sizeof token; bytes.remove_prefix(sizeof token)) {
        std::memcpy(&token, bytes.data(), sizeof token);
        tokens.push_back(token);
    }
}

}  // namespace

// Running answers are their row and the pieces that came since.
Result<> SqliteStore::add_pieces(std::vector<Message>& messages) {
    std::map<std::string_view, Message*> running;
    for (Message& message : messages) {
        if (message.state == MessageState::kRunning) running[message.id.value] = &message;
    }
    if (running.empty()) return {};
    NOTSO_TRY(Statement select,
              database_->prepare(
                  "SELECT message.id, answer_piece.thinking, answer_piece.text FROM answer_piece "
                  "JOIN message ON message.seq = answer_piece.message ORDER BY answer_piece.seq"));
    while (true) {
        NOTSO_TRY(const bool row, select.step());
        if (!row) return {};
        const auto owner = running.find(select.text(0));
        if (owner == running.end()) continue;
        owner->second->thinking += select.text(1);
        owner->second->text += select.text(2);
    }
}

// Without waiting for the disk: the piece is in the log, and the log outlives the process.
Result<> SqliteStore::append_text(const MessageId& id, const AnswerPiece& piece) {
    NOTSO_TRY(Statement insert,
              database_->prepare("INSERT INTO answer_piece (message, thinking, text, tokens) "
                                 "SELECT seq, ?2, ?3, ?4 FROM message WHERE id = ?1"));
    insert.bind(1, id.value)
        .bind(2, piece.thinking)
        .bind(3, piece.text)
        .bind_blob(4, bytes_of(piece.tokens));
    NOTSO_CHECK(database_->execute("PRAGMA synchronous = NORMAL"));
    const Result<> inserted = insert.run();
    const bool found = database_->changes() > 0;
    NOTSO_CHECK(database_->execute("PRAGMA synchronous = FULL"));
    if (!inserted) return inserted;
    if (found) return {};
    return fail(ErrorCode::kNotFound, "no message {}: it was deleted", log::field(id.value));
}

Result<std::optional<AnswerJournal>> SqliteStore::journal(const MessageId& id) {
    NOTSO_TRY(
        Statement select,
        database_->prepare(fmt::format(
            "SELECT answer_journal.model, answer_journal.thinking, seed, runs, crashes, round, "
            "text_begin, thinking_begin, tokens_before, reasoning_before, "
            "tokens, {} FROM message LEFT JOIN answer_journal ON message = seq "
            "WHERE id = ?",
            kSettingsColumns)));
    NOTSO_TRY(const bool found, select.bind(1, id.value).step());
    if (!found)
        return fail(ErrorCode::kNotFound, "no message {}: it was deleted", log::field(id.value));
    if (select.is_null(0)) return std::nullopt;
    AnswerJournal journal{.model = select.text(0),
                          .thinking = select.integer(1) != 0,
                          .seed = static_cast<std::uint64_t>(select.integer(2)),
                          .runs = select.integer(3),
                          .crashes = select.integer(4),
                          .round = select.integer(5),
                          .text_begin = select.integer(6),
                          .thinking_begin = select.integer(7),
                          .tokens_before = select.integer(8),
                          .reasoning_before = select.integer(9)};
    add_tokens(journal.tokens, select.blob(10));
    if (!select.is_null(kJournalSettings))
        journal.settings = read_settings(select, kJournalSettings);
    NOTSO_TRY(Statement pieces,
              database_->prepare("SELECT tokens FROM answer_piece WHERE message = (SELECT seq FROM "
                                 "message WHERE id = ?) ORDER BY seq"));
    pieces.bind(1, id.value);
    while (true) {
        NOTSO_TRY(const bool row, pieces.step());
        if (!row) return journal;
        add_tokens(journal.tokens, pieces.blob(0));
    }
}

// The pieces are in the row and in its journal now.
Result<> SqliteStore::write_journal(const Message& message) {
    for (const std::string_view table : {"answer_piece", "answer_journal"}) {
        NOTSO_TRY(
            Statement remove,
            database_->prepare(fmt::format(
                "DELETE FROM {} WHERE message = (SELECT seq FROM message WHERE id = ?)", table)));
        NOTSO_CHECK(remove.bind(1, message.id.value).run());
    }
    if (!message.journal) return {};
    const AnswerJournal& journal = *message.journal;
    NOTSO_TRY(Statement put,
              database_->prepare(
                  fmt::format("INSERT INTO answer_journal (message, model, thinking, seed, runs, "
                              "crashes, round, text_begin, thinking_begin, tokens_before, "
                              "reasoning_before, tokens, {}) SELECT seq, ?2, ?3, ?4, ?5, ?6, ?7, "
                              "?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21 "
                              "FROM message WHERE id = ?1",
                              kSettingsColumns)));
    put.bind(1, message.id.value)
        .bind(2, journal.model)
        .bind(3, std::int64_t{journal.thinking})
        .bind(4, static_cast<std::int64_t>(journal.seed))
        .bind(5, journal.runs)
        .bind(6, journal.crashes)
        .bind(7, journal.round)
        .bind(8, journal.text_begin)
        .bind(9, journal.thinking_begin)
        .bind(10, journal.tokens_before)
        .bind(11, journal.reasoning_before)
        .bind_blob(12, bytes_of(journal.tokens));
    if (journal.settings) bind_settings(put, 13, *journal.settings);
    return put.run();
}

}  // namespace notso::services
