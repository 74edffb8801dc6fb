// UTF-8: validation, decoding, repair, and assembling text that arrives in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace notso {

/// What separates words in templates and answers.
inline constexpr std::string_view kWhiteSpace = " \t\r\n";

/// One decoded code point. `valid` is false for a byte that starts no well-formed sequence; `size` is then 1.
struct DecodedCodePoint {
    char32_t value = 0;
    std::uint8_t size = 1;  ///< Bytes consumed, 1..4.
    bool valid = false;
};

/// Decodes the code point at the start of `text` (not empty). Overlong forms, surrogates and values above
/// U+10FFFF are invalid. @cost O(1).
DecodedCodePoint decode_utf8(std::string_view text) noexcept;

/// Appends a code point; values that are not Unicode scalars become U+FFFD.
void append_utf8(std::string& out, char32_t code_point);

/// True when all of `text` is well-formed UTF-8. @cost O(n).
bool is_valid_utf8(std::string_view text) noexcept;

/// Replaces each byte that belongs to no well-formed sequence with U+FFFD. @cost O(n).
std::string repair_utf8(std::string_view text);

/// Cuts to at most `max_bytes` without splitting a code point.
std::string_view truncate_utf8(std::string_view text, std::size_t max_bytes) noexcept;

/// Turns byte pieces (model tokens) into text that is always well-formed: an unfinished sequence is held back
/// until it is complete; bytes that can no longer become one turn into U+FFFD.
class Utf8Assembler {
  public:
    /// Adds bytes and returns the text that is complete now (may be empty).
    std::string push(std::string_view bytes);
    /// Ends the stream: what is still held back becomes U+FFFD. The assembler is empty afterwards.
    std::string finish();
    /// Bytes of a character that is not complete.
    std::size_t pending() const noexcept { return pending_.size(); }

  private:
    std::string pending_;  // at most 3 bytes of an unfinished sequence
};

}  // namespace notso
