// Unicode as Python's str methods see it: character classes, case mapping, and text counted in code
// points. The tables (generated/tables.cpp) are made by make_tables.py from Python's own unicodedata.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace notso::services::unicode {

/// Classes of a code point, as bits.
enum Property : std::uint16_t {
    kSpace = 1 << 0,
    kPrintable = 1 << 1,
    kAlpha = 1 << 2,
    kDecimal = 1 << 3,
    kDigit = 1 << 4,
    kNumeric = 1 << 5,
    kUpper = 1 << 6,
    kLower = 1 << 7,
    kTitle = 1 << 8,
    kCased = 1 << 9,
    kCaseIgnorable = 1 << 10,
    kIdentifier = 1 << 11,  ///< May continue an identifier.
    kLineBreak = 1 << 12,   ///< Ends a line for splitlines().
    kIdentifierStart = 1 << 13,
};
inline constexpr std::uint16_t kAlnum = kAlpha | kDecimal | kDigit | kNumeric;

/// The classes of a code point. @cost O(1) for ASCII, else O(log ranges).
std::uint16_t properties(char32_t code_point) noexcept;
inline bool has(char32_t code_point, std::uint16_t any_of) noexcept {
    return (properties(code_point) & any_of) != 0;
}

std::size_t count_code_points(std::string_view text) noexcept;
std::u32string decode(std::string_view text);
std::string encode(std::u32string_view text);
/// Byte offset of the code point with this index; text.size() when there are fewer.
std::size_t byte_offset(std::string_view text, std::size_t index) noexcept;

std::string upper(std::string_view text);
std::string lower(std::string_view text);
/// First character in title case, the rest in lower case.
std::string capitalize(std::string_view text);
/// Each run of cased characters capitalized (str.title).
std::string title(std::string_view text);
std::string swapcase(std::string_view text);
std::string casefold(std::string_view text);

/// The characters of a text, each once and in order.
std::u32string character_set(std::string_view text);
/// Removes characters of `chars` (a character_set), or white space when `chars` is nullptr, from the chosen
/// sides.
enum class Side : std::uint8_t { kLeft, kRight, kBoth };
std::string_view strip(std::string_view text,
                       Side side,
                       const std::u32string* chars = nullptr) noexcept;

namespace tables {

struct PropertyRange {
    char32_t first;
    char32_t last;
    std::uint16_t properties;
};
/// Code points first, first + stride, … last map to themselves plus delta.
struct CaseRange {
    char32_t first;
    char32_t last;
    std::uint8_t stride;
    std::int32_t delta;
};
/// A code point that maps to several.
struct CaseSpecial {
    char32_t code_point;
    char32_t to[3];
};
struct CaseTable {
    std::span<const CaseRange> ranges;
    std::span<const CaseSpecial> specials;
};

extern const std::span<const PropertyRange> kPropertyRanges;
extern const CaseTable kUpperCase;
extern const CaseTable kLowerCase;
extern const CaseTable kTitleCase;
extern const CaseTable kCaseFold;

}  // namespace tables
}  // namespace notso::services::unicode
