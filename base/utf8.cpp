#include "base/utf8.hpp"

namespace notso {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Length of the sequence that `lead` begins, 0 when it can't begin one.
int sequence_length(unsigned char lead) noexcept {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

// Whether `byte` may stand at place `index` (1..3) after `lead` (Unicode 15, table 3-7).
bool continues(unsigned char lead, int index, unsigned char byte) noexcept {
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (index == 1) {
        if (lead == 0xE0) low = 0xA0;
        if (lead == 0xED) high = 0x9F;
        if (lead == 0xF0) low = 0x90;
        if (lead == 0xF4) high = 0x8F;
    }
    return byte >= low && byte <= high;
}

// Bytes at the start of `text` that form a prefix of one well-formed sequence, and whether it is whole.
struct Prefix {
    int size;
    bool whole;
};

Prefix sequence_prefix(std::string_view text) noexcept {
    const auto lead = static_cast<unsigned char>(text[0]);
    const int length = sequence_length(lead);
    if (length == 0) return {0, false};
    int size = 1;
    while (size < length && static_cast<std::size_t>(size) < text.size() &&
           continues(lead, size, static_cast<unsigned char>(text[static_cast<std::size_t>(size)]))) {
        ++size;
    }
    return {size, size == length};
}

}  // namespace

DecodedCodePoint decode_utf8(std::string_view text) noexcept {
    const Prefix prefix = sequence_prefix(text);
    const auto lead = static_cast<unsigned char>(text[0]);
    if (!prefix.whole) return {lead, 1, false};
    if (prefix.size == 1) return {lead, 1, true};
    char32_t value = lead & (0x7Fu >> prefix.size);
    for (int i = 1; i < prefix.size; ++i) {
        value = (value << 6) | (static_cast<unsigned char>(text[static_cast<std::size_t>(i)]) & 0x3Fu);
    }
    return {value, static_cast<std::uint8_t>(prefix.size), true};
}

void append_utf8(std::string& out, char32_t c) {
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) c = 0xFFFD;
    const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xC0 | (c >> 6));
        put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        put(0xE0 | (c >> 12));
        put(0x80 | ((c >> 6) & 0x3F));
        put(0x80 | (c & 0x3F));
    } else {
        put(0xF0 | (c >> 18));
        put(0x80 | ((c >> 12) & 0x3F));
        put(0x80 | ((c >> 6) & 0x3F));
        put(0x80 | (c & 0x3F));
    }
}

bool is_valid_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const Prefix prefix = sequence_prefix(text);
        if (!prefix.whole) return false;
        text.remove_prefix(static_cast<std::size_t>(prefix.size));
    }
    return true;
}

std::string repair_utf8(std::string_view text) {
    Utf8Assembler assembler;
    std::string out = assembler.push(text);
    out += assembler.finish();
    return out;
}

std::string_view truncate_utf8(std::string_view text, std::size_t max_bytes) noexcept {
    if (text.size() <= max_bytes) return text;
    std::size_t end = max_bytes;
    for (int steps = 0; steps < 3 && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80; ++steps) --end;
    return text.substr(0, end);
}

std::string Utf8Assembler::push(std::string_view bytes) {
    std::string joined;
    if (!pending_.empty()) {
        joined = pending_ + std::string(bytes);
        pending_.clear();
        bytes = joined;
    }
    std::string out;
    out.reserve(bytes.size());
    while (!bytes.empty()) {
        const Prefix prefix = sequence_prefix(bytes);
        const auto size = static_cast<std::size_t>(prefix.size);
        if (prefix.whole) {
            out += bytes.substr(0, size);
            bytes.remove_prefix(size);
        } else if (size == bytes.size()) {  // may still become whole
            pending_ = bytes;
            break;
        } else {
            out += kReplacement;
            bytes.remove_prefix(size == 0 ? 1 : size);
        }
    }
    return out;
}

std::string Utf8Assembler::finish() {
    if (pending_.empty()) return {};
    pending_.clear();
    return std::string(kReplacement);
}

}  // namespace notso
