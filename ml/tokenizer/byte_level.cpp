#include "ml/tokenizer/byte_level.hpp"

#include <array>
#include <cstdint>

#include "base/utf8.hpp"

namespace notso::ml {
namespace {

constexpr bool stands_for_itself(int byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr std::array<char32_t, 256> make_alphabet() {
    std::array<char32_t, 256> alphabet{};
    char32_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
        alphabet[static_cast<std::size_t>(byte)] =
            stands_for_itself(byte) ? static_cast<char32_t>(byte) : next++;
    }
    return alphabet;
}
constexpr auto kAlphabet = make_alphabet();

constexpr std::size_t kCodePoints = 0x100 + 68;  // 68 bytes don't stand for themselves
constexpr std::array<std::int16_t, kCodePoints> make_inverse() {
    std::array<std::int16_t, kCodePoints> inverse{};
    inverse.fill(-1);
    for (std::size_t byte = 0; byte < 256; ++byte) {
        inverse[kAlphabet[byte]] = static_cast<std::int16_t>(byte);
    }
    return inverse;
}
constexpr auto kInverse = make_inverse();

}  // namespace

std::optional<std::string> bytes_of_written(std::string_view written) {
    std::string bytes;
    while (!written.empty()) {
        const DecodedCodePoint c = decode_utf8(written);
        if (!c.valid || c.value >= kInverse.size() || kInverse[c.value] < 0) return std::nullopt;
        bytes += static_cast<char>(kInverse[c.value]);
        written.remove_prefix(c.size);
    }
    return bytes;
}

std::string written_byte(unsigned char byte) {
    std::string text;
    append_utf8(text, kAlphabet[byte]);
    return text;
}

}  // namespace notso::ml
