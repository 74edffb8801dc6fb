// Classes of code points, as far as the pre-tokenizers tell them apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace notso::ml {

/// Disjoint classes; their numbers are those of the generated table.
enum class CharClass : std::uint8_t {
    kOther = 0,
    kLetter = 1,     ///< \p{L}
    kNumber = 2,     ///< \p{N}
    kDigitOnly = 3,  ///< Split off as a digit, yet not in \p{N}: the oracle's two Unicode versions
                     ///< differ here.
    kSpace = 4,      ///< \s without the two below
    kNewline = 5,    ///< \r and \n
};

/// Class of a Unicode scalar value; anything above U+10FFFF is kOther. @cost O(1), two table reads.
CharClass char_class(char32_t code_point) noexcept;

/// One character of a text that may hold any bytes.
struct ClassifiedChar {
    CharClass kind = CharClass::kOther;
    std::uint8_t size =
        1;  ///< Bytes. A byte that belongs to no well-formed sequence is a kOther of its own.
};

/// Looks at the character that begins at `pos`, which is inside `text`.
ClassifiedChar classify_at(std::string_view text, std::size_t pos) noexcept;

}  // namespace notso::ml
