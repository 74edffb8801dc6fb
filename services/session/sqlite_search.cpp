// SqliteStore: finding words. Three characters or more go to the index of trigrams, fewer to LIKE;
// titles are few and are read.
#include "services/session/sqlite_store.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services {
namespace {

using sqlite::Statement;

constexpr std::size_t kShortestIndexed = 3;

/// One string of FTS5's query language: nothing in it has a meaning.
std::string as_phrase(std::string_view query) {
    std::string phrase = "\"";
    for (const char byte : query)
        phrase += byte == '"' ? std::string("\"\"") : std::string(1, byte);
    return phrase + '"';
}

std::string as_pattern(std::string_view query) {
    std::string pattern = "%";
    for (const char byte : query) {
        if (byte == '%' || byte == '_' || byte == '\\') pattern += '\\';
        pattern += byte;
    }
    return pattern + '%';
}

}  // namespace

Result<std::vector<SearchHit>> SqliteStore::search(const OwnerId& owner,
                                                   const std::string& query,
                                                   std::int64_t limit) {
    SearchHits hits(query, limit);
    if (!hits.full()) NOTSO_CHECK(find_titles(owner, hits));
    if (!hits.full()) NOTSO_CHECK(find_messages(owner, hits));
    return std::move(hits).take();
}

Result<> SqliteStore::find_titles(const OwnerId& owner, SearchHits& hits) {
    NOTSO_TRY(Statement select,
              database_->prepare("SELECT id, title FROM conversation WHERE owner = ? AND "
                                 "trashed_at = 0 ORDER BY updated_at DESC, seq DESC"));
    select.bind(1, owner.value);
    while (!hits.full()) {
        NOTSO_TRY(const bool row, select.step());
        if (!row) return {};
        if (!hits.matches(select.text(1))) continue;
        NOTSO_TRY(const Conversation found, conversation({owner, {select.text(0)}}));
        hits.try_title(found);
    }
    return {};
}

Result<> SqliteStore::find_messages(const OwnerId& owner, SearchHits& hits) {
    const bool indexed = unicode::count_code_points(hits.query()) >= kShortestIndexed;
    NOTSO_TRY(
        Statement select,
        database_->prepare(
            indexed ? "SELECT message.conversation, message.id, message.text FROM message_index "
                      "JOIN message ON message.seq = message_index.rowid "
                      "WHERE message_index MATCH ? ORDER BY message_index.rowid DESC"
                    : "SELECT conversation, id, text FROM message WHERE state <> 'running' "
                      "AND text LIKE ? ESCAPE '\\' ORDER BY seq DESC"));
    select.bind(1, indexed ? as_phrase(hits.query()) : as_pattern(hits.query()));
    while (!hits.full()) {
        NOTSO_TRY(const bool row, select.step());
        if (!row) return {};
        const ConversationId place{select.text(0)};
        if (!hits.wants(place)) continue;
        const auto found = conversation({owner, place});
        if (found) {
            hits.add(*found, {select.text(1)}, select.text(2));
        } else if (found.error().code == ErrorCode::kNotFound) {
            hits.skip(place);  // in the trash, or somebody else's
        } else {
            return std::unexpected(found.error());
        }
    }
    return {};
}

}  // namespace notso::services
