// Sets of Unicode characters, and the byte sequences that write them in UTF-8.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ml/grammar/grammar_source.hpp"

namespace notso::ml {

inline constexpr char32_t kLastCodePoint = 0x10FFFF;

/// A Unicode character: no surrogate, not beyond the last.
constexpr bool is_scalar(char32_t c) noexcept {
    return c <= kLastCodePoint && !(c >= 0xD800 && c <= 0xDFFF);
}

/// Sorted, joined where they touch.
std::vector<CharRange> normalised(std::vector<CharRange> ranges);
/// All characters that are in none of the normalised ranges.
std::vector<CharRange> complement(const std::vector<CharRange>& ranges);

/// Byte i lies in bytes[i]: all combinations of them are characters.
struct ByteSequence {
    struct Range {
        std::uint8_t first = 0;
        std::uint8_t last = 0;
        bool operator==(const Range&) const = default;
    };
    std::array<Range, 4> bytes = {};
    std::size_t size = 0;
};

/// What writes a range in UTF-8, ascending; surrogates are left out.
std::vector<ByteSequence> utf8_sequences(CharRange range);

}  // namespace notso::ml
