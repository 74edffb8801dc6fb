// Look-ups in the generated tables and the case conversions built on them; see unicode.hpp.
#include "services/template/unicode/unicode.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/utf8.hpp"

namespace notso::services::unicode {
namespace {

std::uint16_t search(char32_t code_point) noexcept {
    const auto ranges = tables::kPropertyRanges;
    const auto it = std::upper_bound(
        ranges.begin(), ranges.end(), code_point, [](char32_t value, const auto& range) {
            return value < range.first;
        });
    if (it == ranges.begin()) return 0;
    const auto& range = *std::prev(it);
    return code_point <= range.last ? range.properties : std::uint16_t{0};
}

const std::array<std::uint16_t, 128>& ascii_properties() {
    static const auto table = [] {
        std::array<std::uint16_t, 128> made{};
        for (char32_t c = 0; c < 128; ++c) made[c] = search(c);
        return made;
    }();
    return table;
}

void append_mapped(std::string& out, const tables::CaseTable& table, char32_t code_point) {
    const auto special = std::lower_bound(
        table.specials.begin(),
        table.specials.end(),
        code_point,
        [](const auto& entry, char32_t value) { return entry.code_point < value; });
    if (special != table.specials.end() && special->code_point == code_point) {
        for (const char32_t to : special->to) {
            if (to != 0) append_utf8(out, to);
        }
        return;
    }
    const auto it =
        std::upper_bound(table.ranges.begin(),
                         table.ranges.end(),
                         code_point,
                         [](char32_t value, const auto& range) { return value < range.first; });
    if (it != table.ranges.begin()) {
        const auto& range = *std::prev(it);
        if (code_point <= range.last && (code_point - range.first) % range.stride == 0) {
            code_point = static_cast<char32_t>(static_cast<std::int32_t>(code_point) + range.delta);
        }
    }
    append_utf8(out, code_point);
}

// A capital sigma at the end of a word has a form of its own.
bool is_final_sigma(std::u32string_view text, std::size_t at) {
    std::size_t before = at;
    while (before > 0 && has(text[before - 1], kCaseIgnorable)) --before;
    if (before == 0 || !has(text[before - 1], kCased)) return false;
    std::size_t after = at + 1;
    while (after < text.size() && has(text[after], kCaseIgnorable)) ++after;
    return after == text.size() || !has(text[after], kCased);
}

void append_lower(std::string& out, std::u32string_view text, std::size_t at) {
    constexpr char32_t kSigma = 0x3A3;
    if (text[at] == kSigma) {
        append_utf8(out, is_final_sigma(text, at) ? char32_t{0x3C2} : char32_t{0x3C3});
    } else {
        append_mapped(out, tables::kLowerCase, text[at]);
    }
}

std::string map_all(std::string_view text, const tables::CaseTable& table) {
    std::string out;
    out.reserve(text.size());
    for (const char32_t c : decode(text)) append_mapped(out, table, c);
    return out;
}

bool in_set(char32_t code_point, const std::u32string* chars) noexcept {
    return chars != nullptr ? std::binary_search(chars->begin(), chars->end(), code_point)
                            : has(code_point, kSpace);
}

}  // namespace

std::uint16_t properties(char32_t code_point) noexcept {
    return code_point < 128 ? ascii_properties()[code_point] : search(code_point);
}

// Eight bytes at a time: a byte that continues a sequence has bit 7 set and bit 6 clear.
std::size_t count_code_points(std::string_view text) noexcept {
    constexpr std::uint64_t kLowBits = 0x0101010101010101ULL;
    std::size_t continuing = 0;
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, sizeof word);
        continuing +=
            static_cast<std::size_t>(std::popcount((word >> 7) & ~(word >> 6) & kLowBits));
    }
    for (; at < text.size(); ++at)
        continuing += (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80 ? 1 : 0;
    return text.size() - continuing;
}

std::u32string decode(std::string_view text) {
    std::u32string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const DecodedCodePoint next = decode_utf8(text);
        out.push_back(next.valid ? next.value : char32_t{0xFFFD});
        text.remove_prefix(next.size);
    }
    return out;
}

std::string encode(std::u32string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char32_t c : text) append_utf8(out, c);
    return out;
}

std::size_t byte_offset(std::string_view text, std::size_t index) noexcept {
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
        if (starts && index-- == 0) return at;
    }
    return text.size();
}

std::string upper(std::string_view text) { return map_all(text, tables::kUpperCase); }

std::string casefold(std::string_view text) { return map_all(text, tables::kCaseFold); }

std::string lower(std::string_view text) {
    const std::u32string decoded = decode(text);
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < decoded.size(); ++i) append_lower(out, decoded, i);
    return out;
}

std::string capitalize(std::string_view text) {
    const std::u32string decoded = decode(text);
    std::string out;
    for (std::size_t i = 0; i < decoded.size(); ++i) {
        i == 0 ? append_mapped(out, tables::kTitleCase, decoded[0]) : append_lower(out, decoded, i);
    }
    return out;
}

std::string title(std::string_view text) {
    const std::u32string decoded = decode(text);
    std::string out;
    bool in_word = false;
    for (std::size_t i = 0; i < decoded.size(); ++i) {
        in_word ? append_lower(out, decoded, i)
                : append_mapped(out, tables::kTitleCase, decoded[i]);
        in_word = has(decoded[i], kCased);
    }
    return out;
}

std::string swapcase(std::string_view text) {
    const std::u32string decoded = decode(text);
    std::string out;
    for (std::size_t i = 0; i < decoded.size(); ++i) {
        if (has(decoded[i], kUpper)) {
            append_lower(out, decoded, i);
        } else if (has(decoded[i], kLower)) {
            append_mapped(out, tables::kUpperCase, decoded[i]);
        } else {
            append_utf8(out, decoded[i]);
        }
    }
    return out;
}

std::u32string character_set(std::string_view text) {
    std::u32string chars = decode(text);
    std::sort(chars.begin(), chars.end());
    chars.erase(std::unique(chars.begin(), chars.end()), chars.end());
    return chars;
}

std::string_view strip(std::string_view text, Side side, const std::u32string* chars) noexcept {
    while (side != Side::kRight && !text.empty()) {
        const DecodedCodePoint next = decode_utf8(text);
        if (!in_set(next.value, chars)) break;
        text.remove_prefix(next.size);
    }
    while (side != Side::kLeft && !text.empty()) {
        std::size_t at = text.size() - 1;
        while (at > 0 && text.size() - at < 4 &&
               (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80)
            --at;
        if (!in_set(decode_utf8(text.substr(at)).value, chars)) break;
        text = text.substr(0, at);
    }
    return text;
}

}  // namespace notso::services::unicode
