#include "services/chat/title.hpp"

#include <cstddef>

namespace notso::services {
namespace {

constexpr std::size_t kMaxCodePoints = 60;
constexpr std::size_t kMinCodePoints = 20;  // a cut at a word may not leave less than this

bool starts_code_point(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

// Byte offset of code point `n`, or npos when the text is not longer than that.
std::size_t offset_of(std::string_view text, std::size_t n) {
    std::size_t seen = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (starts_code_point(text[i]) && seen++ == n) return i;
    }
    return std::string_view::npos;
}

}  // namespace

std::string single_line(std::string_view text) {
    std::string line;
    bool gap = false;
    for (const char byte : text) {
        const auto code = static_cast<unsigned char>(byte);
        if (code <= 0x20 || code == 0x7F) {
            gap = !line.empty();
            continue;
        }
        if (gap) line += ' ';
        gap = false;
        line += byte;
    }
    return line;
}

std::string make_title(std::string_view text) {
    std::string title;
    while (title.empty() && !text.empty()) {
        const std::size_t end = text.find('\n');
        title = single_line(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    if (title.empty()) return "New chat";
    if (offset_of(title, kMaxCodePoints) == std::string_view::npos) return title;
    title.resize(offset_of(title, kMaxCodePoints - 1) +
                 1);  // room for the ellipsis; one more byte to see a blank
    const std::size_t blank = title.rfind(' ');
    const std::size_t least = offset_of(title, kMinCodePoints);
    const bool at_word = blank != std::string::npos && blank >= least;
    title.resize(at_word ? blank : title.size() - 1);
    return title + "…";
}

}  // namespace notso::services
