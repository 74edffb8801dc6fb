// The byte-level alphabet of GPT-2 vocabularies: every byte is written as one printable character,
// so that tokens can stand in text files. Bytes that are printable in Latin-1 are themselves, the
// others follow from U+0100 on.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace notso::ml {

/// The bytes that a token's written form stands for; empty when a character is outside the alphabet
/// or the text is not well-formed UTF-8.
std::optional<std::string> bytes_of_written(std::string_view written);

/// The written form of one byte.
std::string written_byte(unsigned char byte);

}  // namespace notso::ml
