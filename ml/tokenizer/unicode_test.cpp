// Character classes: known code points, the sizes of the classes, and bytes that are no characters.
#include "ml/tokenizer/unicode.hpp"

#include <gtest/gtest.h>

#include <map>

namespace notso::ml {
namespace {

using enum CharClass;

TEST(CharClass, KnowsCodePoints) {
    const std::map<char32_t, CharClass> expected = {
        {U'a', kLetter},    {U'Z', kLetter},    {U'_', kOther},        {U'7', kNumber},
        {U' ', kSpace},     {U'\t', kSpace},    {U'\n', kNewline},     {U'\r', kNewline},
        {0x0B, kSpace},     {0x00, kOther},     {0x85, kSpace},        {0xA0, kSpace},
        {0xAA, kLetter},    {0xAD, kOther},     {0xB2, kNumber},       {0xBD, kNumber},
        {0x17F, kLetter},   {0x301, kOther},    {0x663, kNumber},      {0x94D, kOther},
        {0x1680, kSpace},   {0x180E, kOther},   {0x200B, kOther},      {0x2028, kSpace},
        {0x2167, kNumber},  {0x3000, kSpace},   {0x4E2D, kLetter},     {0xAC00, kLetter},
        {0xD7A3, kLetter},  {0xFEFF, kOther},   {0xFFFD, kOther},      {0x1F600, kOther},
        {0x1D7D8, kNumber}, {0x10D40, kNumber}, {0x11DE0, kDigitOnly}, {0x20000, kLetter},
        {0xE0001, kOther},  {0x10FFFF, kOther}, {0x110000, kOther},    {0xFFFFFFFF, kOther},
    };
    for (const auto& [code, kind] : expected) {
        EXPECT_EQ(char_class(code), kind) << std::hex << static_cast<std::uint32_t>(code);
    }
}

TEST(CharClass, ClassesHaveTheSizesOfTheReference) {
    std::map<CharClass, int> sizes;
    for (char32_t code = 0; code < 0x110000; ++code) ++sizes[char_class(code)];
    EXPECT_EQ(sizes[kLetter], 141'028);
    EXPECT_EQ(sizes[kNumber], 1'911);
    EXPECT_EQ(sizes[kDigitOnly], 13);
    EXPECT_EQ(sizes[kSpace], 23);
    EXPECT_EQ(sizes[kNewline], 2);
}

TEST(CharClass, InvalidBytesStandAlone) {
    for (const std::string_view text :
         {"\x80", "\xFF", "\xC3", "\xC3(", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xC0\xAF"}) {
        const ClassifiedChar c = classify_at(text, 0);
        EXPECT_EQ(c.kind, kOther);
        EXPECT_EQ(c.size, 1);
    }
    EXPECT_EQ(classify_at("x\xE4\xB8\xAD", 1).size, 3);
    EXPECT_EQ(classify_at("x\xE4\xB8\xAD", 1).kind, kLetter);
}

}  // namespace
}  // namespace notso::ml
