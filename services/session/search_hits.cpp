#include "services/session/search_hits.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services {
namespace {

constexpr std::size_t kBytesBefore = 48;
constexpr std::size_t kBytesShown = 240;

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

/// Where a character begins, about `by` bytes before `from`.
std::size_t step_back(std::string_view text, std::size_t from, std::size_t by) {
    std::size_t at = from > by ? from - by : 0;
    while (at > 0 && !starts_character(text[at])) --at;
    return at;
}

/// On one line; every byte keeps its place.
std::string one_line(std::string_view text) {
    std::string line(text);
    for (char& byte : line) {
        const auto value = static_cast<unsigned char>(byte);
        if (value < 0x20 || value == 0x7F) byte = ' ';
    }
    return line;
}

/// The character of a text whose folded form reaches past `folded_offset` bytes of all.
class FoldedWalk {
  public:
    explicit FoldedWalk(std::string_view text) : text_(text) {}

    /// Moves on until more than `folded_offset` bytes are behind the end of the current character.
    void reach(std::size_t folded_offset) {
        while (folded_end_ <= folded_offset && end_ < text_.size()) {
            begin_ = end_;
            const std::string_view rest = text_.substr(end_);
            const std::size_t size = decode_utf8(rest).size;
            end_ += size;
            folded_end_ += size == 1 ? 1 : unicode::casefold(rest.substr(0, size)).size();
        }
    }
    std::size_t begin() const { return begin_; }
    std::size_t end() const { return end_; }

  private:
    std::string_view text_;
    std::size_t begin_ = 0;  // of the current character
    std::size_t end_ = 0;
    std::size_t folded_end_ = 0;
};

}  // namespace

SearchHits::SearchHits(std::string_view query, std::int64_t limit)
    : query_(query.substr(0, query.find('\0'))),
      folded_(unicode::casefold(query_)),
      limit_(limit) {}

bool SearchHits::matches(std::string_view text) const {
    return unicode::casefold(text).contains(folded_);
}

std::optional<TextMatch> SearchHits::find(std::string_view text) const {
    const std::size_t at = unicode::casefold(text).find(folded_);
    if (at == std::string::npos) return std::nullopt;
    FoldedWalk walk(text);
    walk.reach(at);
    const std::size_t begin = walk.begin();
    walk.reach(at + folded_.size() - 1);
    return TextMatch{begin, walk.end()};
}

void SearchHits::try_title(const Conversation& conversation) {
    if (full()) return;
    const auto match = find(conversation.title);
    if (!match) return;
    hits_.push_back({.conversation = conversation,
                     .snippet = one_line(conversation.title),
                     .begin = match->begin,
                     .end = match->end});
}

// An index may take more for the same than is found here: its hits are shown without a mark.
void SearchHits::add(const Conversation& conversation, MessageId message, std::string_view text) {
    const TextMatch match = find(text).value_or(TextMatch{});
    const std::size_t from = step_back(text, match.begin, kBytesBefore);
    const std::string_view part =
        truncate_utf8(text.substr(from), std::max(kBytesShown, match.end - from));
    const std::string_view more_before = from > 0 ? "…" : "";
    const std::string_view more_after = from + part.size() < text.size() ? "…" : "";
    SearchHit hit{.conversation = conversation, .message = std::move(message)};
    hit.snippet = std::string(more_before) + one_line(part) + std::string(more_after);
    hit.begin = match.begin - from + more_before.size();
    hit.end = match.end - from + more_before.size();
    if (match.begin == match.end) hit.begin = hit.end = 0;
    hits_.push_back(std::move(hit));
    skip(conversation.id);
}

}  // namespace notso::services
