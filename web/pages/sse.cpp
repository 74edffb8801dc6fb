#include "web/pages/sse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace notso::web {
namespace {

constexpr std::size_t kAnswerIdBytes = 32;

bool is_hex_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

/// Appends `text` as data lines. CR LF, CR and LF all end a line: a bare CR would end it for the
/// reader.
void append_data(std::string& out, std::string_view text) {
    while (true) {
        const std::size_t end = text.find_first_of("\r\n");
        out.append("data: ").append(text.substr(0, end)).append("\n");
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
    }
}

}  // namespace

std::string to_string(const EventId& id) { return fmt::format("{}-{}", id.answer.value, id.seq); }

std::optional<EventId> parse_event_id(std::string_view text) {
    if (text.size() < kAnswerIdBytes + 2 || text[kAnswerIdBytes] != '-') return std::nullopt;
    const std::string_view answer = text.substr(0, kAnswerIdBytes);
    const std::string_view number = text.substr(kAnswerIdBytes + 1);
    if (!std::ranges::all_of(answer, is_hex_digit)) return std::nullopt;
    EventId id{.answer = {std::string(answer)}};
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), id.seq);
    if (parsed.ec != std::errc() || parsed.ptr != number.data() + number.size())
        return std::nullopt;
    return id;
}

std::string sse_event(const EventId& id, std::string_view name, std::string_view data) {
    std::string out = fmt::format("id: {}\n", to_string(id));
    if (!name.empty()) out += fmt::format("event: {}\n", name);
    append_data(out, data);
    out += '\n';
    return out;
}

}  // namespace notso::web
