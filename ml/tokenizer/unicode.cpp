#include "ml/tokenizer/unicode.hpp"

#include "base/utf8.hpp"
#include "ml/tokenizer/generated/unicode_classes.hpp"

namespace notso::ml {

CharClass char_class(char32_t code_point) noexcept {
    if (code_point > 0x10FFFF) return CharClass::kOther;
    const std::size_t block = generated::kClassBlock[code_point >> 8];
    const std::uint8_t pair = generated::kClassPairs[block * 128 + ((code_point & 0xFF) >> 1)];
    return static_cast<CharClass>((code_point & 1) != 0 ? pair >> 4 : pair & 0x0F);
}

ClassifiedChar classify_at(std::string_view text, std::size_t pos) noexcept {
    const auto byte = static_cast<unsigned char>(text[pos]);
    if (byte < 0x80) return {char_class(byte), 1};
    const DecodedCodePoint decoded = decode_utf8(text.substr(pos));
    if (!decoded.valid) return {CharClass::kOther, 1};
    return {char_class(decoded.value), decoded.size};
}

}  // namespace notso::ml
