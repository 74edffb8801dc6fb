#include "services/attachments/file_name.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace notso::services {
namespace {

constexpr std::size_t kMaxCharacters = 120;
constexpr std::size_t kMaxEnding = 16;  // characters, with the dot

/// Invisible, or a line end, or able to make the rest look like something else.
bool is_unfit(char32_t c) {
    const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    const bool direction = c == 0x61C || c == 0x200E || c == 0x200F ||
                           (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    const bool invisible = c == 0xAD || (c >= 0x200B && c <= 0x200D) || c == 0x2060 || c == 0xFEFF;
    const bool line_end = c == 0x2028 || c == 0x2029;
    return control || direction || invisible || line_end;
}

std::u32string characters_of(std::string_view text) {
    std::u32string out;
    while (!text.empty()) {
        const DecodedCodePoint next = decode_utf8(text);
        const char32_t c = next.valid ? next.value : U'\uFFFD';
        if (!is_unfit(c)) out += c;
        text.remove_prefix(next.size);
    }
    return out;
}

void trim(std::u32string& name) {
    const std::size_t begin = name.find_first_not_of(U' ');
    const std::size_t end = name.find_last_not_of(U' ');
    name = begin == std::u32string::npos ? U"" : name.substr(begin, end - begin + 1);
}

void shorten(std::u32string& name) {
    if (name.size() <= kMaxCharacters) return;
    const std::size_t dot = name.rfind(U'.');
    const bool has_ending = dot != std::u32string::npos && name.size() - dot <= kMaxEnding;
    const std::u32string ending = has_ending ? name.substr(dot) : U"";
    name.resize(kMaxCharacters - ending.size() - 1);
    name += U"…" + ending;
}

}  // namespace

std::string clean_file_name(std::string_view given) {
    given.remove_prefix(given.find_last_of("/\\") + 1);  // npos + 1 is 0
    std::u32string name = characters_of(given);
    trim(name);
    shorten(name);
    if (std::ranges::all_of(name, [](char32_t c) { return c == U'.'; })) name = U"file";
    std::string out;
    for (const char32_t c : name) append_utf8(out, c);
    return out;
}

}  // namespace notso::services
