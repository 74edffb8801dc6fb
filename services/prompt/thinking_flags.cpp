// Implementation of the flags. See thinking_flags.hpp.
#include "services/prompt/thinking_flags.hpp"

#include <cstddef>

namespace notso::services {
namespace {

constexpr std::string_view kFlags[] = {"/no_think", "/think"};

/// Characters that make a flag part of something longer: letters, digits, and what paths and
/// identifiers are made of.
bool is_word_char(char c) {
    const auto u = static_cast<unsigned char>(c);
    const bool letter = (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || u >= 0x80;
    return letter || (u >= '0' && u <= '9') || c == '_' || c == '/' || c == '-';
}

/// Length of the flag that begins at `at`, 0 when there is none.
std::size_t flag_at(std::string_view text, std::size_t at) {
    for (const std::string_view flag : kFlags) {
        if (text.substr(at).starts_with(flag)) return flag.size();
    }
    return 0;
}

bool is_whole_word(std::string_view text, std::size_t at, std::size_t size) {
    // "</think>" is a tag, not a flag.
    const bool free_before =
        at == 0 || !(is_word_char(text[at - 1]) || text[at - 1] == '.' || text[at - 1] == '<');
    const std::size_t end = at + size;
    return free_before && (end == text.size() || !is_word_char(text[end]));
}

}  // namespace

std::string strip_thinking_flags(std::string_view text) {
    std::string kept;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t size = flag_at(text, at);
        if (size == 0 || !is_whole_word(text, at, size)) {
            kept += text[at++];
            continue;
        }
        at += size;
        if (at < text.size() && text[at] == ' ') ++at;
    }
    return kept;
}

std::string hide_thinking_flags(std::string_view text, std::string_view marker) {
    std::string hidden;
    for (std::size_t at = 0; at < text.size(); ++at) {
        hidden += text[at];
        if (flag_at(text, at) > 0) hidden += marker;
    }
    return hidden;
}

}  // namespace notso::services
