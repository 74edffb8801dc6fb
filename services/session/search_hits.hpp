// SearchHits: what a search has found so far, and whether more is wanted. The stores look for
// candidates, each in its own way; what counts as a match and how it is shown is the same for all.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/session/session_store.hpp"

namespace notso::services {

/// Where a query stands in a text, in bytes.
struct TextMatch {
    std::size_t begin = 0;
    std::size_t end = 0;
};

class SearchHits {
  public:
    /// @param query  Valid UTF-8; what comes after a NUL does not count.
    SearchHits(std::string_view query, std::int64_t limit);

    const std::string& query() const { return query_; }
    /// An empty query finds nothing.
    bool full() const { return query_.empty() || std::ssize(hits_) >= limit_; }
    /// Whether a message of that conversation is still wanted.
    bool wants(const ConversationId& id) const { return !full() && !seen_.contains(id.value); }
    /// Whether a text has the query in it, in any case.
    bool matches(std::string_view text) const;

    void try_title(const Conversation& conversation);
    void add(const Conversation& conversation, MessageId message, std::string_view text);
    /// No message of that conversation is wanted any more.
    void skip(const ConversationId& id) { seen_.insert(id.value); }

    std::vector<SearchHit> take() && { return std::move(hits_); }

  private:
    std::optional<TextMatch> find(std::string_view text) const;

    std::string query_;
    std::string folded_;
    std::int64_t limit_;
    std::set<std::string> seen_;
    std::vector<SearchHit> hits_;
};

}  // namespace notso::services
