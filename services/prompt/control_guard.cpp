// Implementation of the guard. See control_guard.hpp.
#include "services/prompt/control_guard.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace notso::services {
namespace {

constexpr char32_t kFirstMarker =
    0xA000;  // Yi syllables: letters without case, printable everywhere
constexpr char32_t kLastMarker = 0xA48C;

bool looks_like_control(std::string_view text) {
    if (text.size() < 3) return false;
    return (text.front() == '<' && text.back() == '>') ||
           (text.front() == '[' && text.back() == ']');
}

}  // namespace

ControlGuard::ControlGuard(const ml::Tokenizer& tokenizer) {
    for (std::size_t i = 0; i < tokenizer.vocab_size(); ++i) {
        const ml::TokenId id{static_cast<std::int32_t>(i)};
        const std::string_view text = tokenizer.token_bytes(id);
        if (text.empty() || !(tokenizer.is_control(id) || looks_like_control(text))) continue;
        // Too long for the matcher means too long for the tokenizer: it can't be found in any text.
        if (text.size() <= ml::SpecialMatcher::kMaxLength)
            static_cast<void>(guarded_.add(text, id));
    }
}

Result<std::string> ControlGuard::choose_marker(const std::vector<std::string_view>& texts) {
    for (char32_t code = kFirstMarker; code <= kLastMarker; ++code) {
        std::string marker;
        append_utf8(marker, code);
        const auto has_it = [&](std::string_view text) {
            return text.find(marker) != std::string_view::npos;
        };
        if (std::ranges::none_of(texts, has_it)) return marker;
    }
    return fail(ErrorCode::kInvalidArgument,
                "the messages contain every Yi syllable, which leaves no marker for them");
}

std::string ControlGuard::mark(std::string_view text,
                               std::string_view marker,
                               std::initializer_list<std::string_view> keep) const {
    std::string marked;
    marked.reserve(text.size());
    std::size_t at = 0;
    while (const auto match = guarded_.find(text, at, {})) {
        marked += text.substr(at, match->begin - at);
        const std::string_view token = text.substr(match->begin, match->end - match->begin);
        if (std::ranges::find(keep, token) == keep.end()) marked += marker;
        marked += token.front();
        at = match->begin + 1;  // another one may begin inside
    }
    marked += text.substr(at);
    return marked;
}

// Recursion is bounded by the depth limit of the parser that made the value.
boost::json::value ControlGuard::mark_json(const boost::json::value& value,
                                           std::string_view marker) const {
    if (const auto* text = value.if_string())
        return boost::json::string(mark(std::string_view(*text), marker));
    if (const auto* array = value.if_array()) {
        boost::json::array marked;
        for (const auto& item : *array) marked.push_back(mark_json(item, marker));
        return marked;
    }
    if (const auto* object = value.if_object()) {
        boost::json::object marked;
        for (const auto& [key, item] : *object)
            marked[mark(std::string_view(key), marker)] = mark_json(item, marker);
        return marked;
    }
    return value;
}

UnmarkedText ControlGuard::unmark(std::string_view rendered, std::string_view marker) {
    UnmarkedText out;
    out.text.reserve(rendered.size());
    for (std::size_t at = 0; at < rendered.size();) {
        const std::size_t next = std::min(rendered.find(marker, at), rendered.size());
        out.text += rendered.substr(at, next - at);
        at = next;
        if (at == rendered.size()) break;
        at += marker.size();
        if (out.literal_offsets.empty() || out.literal_offsets.back() != out.text.size()) {
            out.literal_offsets.push_back(out.text.size());
        }
    }
    return out;
}

}  // namespace notso::services
