#include "base/utf8.hpp"

#include <gtest/gtest.h>

namespace notso {
namespace {

TEST(Utf8, AcceptsEveryLengthAndRejectsMalformedForms) {
    EXPECT_TRUE(is_valid_utf8("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"));
    for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5", "\xE2\x82"}) {
        EXPECT_FALSE(is_valid_utf8(bad)) << bad;
    }
}

TEST(Utf8, EncodesWhatItDecodes) {
    for (const char32_t c : {U'a', U'\u00e9', U'\u20ac', U'\U0001F600', U'\uFFFF', U'\U0010FFFF'}) {
        std::string text;
        append_utf8(text, c);
        const DecodedCodePoint back = decode_utf8(text);
        EXPECT_TRUE(back.valid);
        EXPECT_EQ(back.value, c);
        EXPECT_EQ(back.size, text.size());
    }
    std::string surrogate;
    append_utf8(surrogate, 0xD800);
    EXPECT_EQ(surrogate, "\xEF\xBF\xBD");
}

TEST(Utf8, AssemblerGivesTheSameTextHoweverItIsCut) {
    const std::string text = "x\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80y";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        Utf8Assembler assembler;
        std::string out = assembler.push(text.substr(0, cut));
        EXPECT_TRUE(is_valid_utf8(out));
        out += assembler.push(text.substr(cut));
        out += assembler.finish();
        EXPECT_EQ(out, text) << cut;
    }
}

TEST(Utf8, AssemblerReplacesWhatCannotBecomeText) {
    Utf8Assembler assembler;
    EXPECT_EQ(assembler.push("a\xE2\x82"), "a");
    EXPECT_EQ(assembler.push("b"), "\xEF\xBF\xBD" "b");
    EXPECT_EQ(assembler.push("\xF0\x9F"), "");
    EXPECT_EQ(assembler.finish(), "\xEF\xBF\xBD");
    EXPECT_EQ(assembler.finish(), "");
    EXPECT_EQ(repair_utf8("\xFF" "a\xC0"), "\xEF\xBF\xBD" "a\xEF\xBF\xBD");
}

TEST(Utf8, TruncatesBetweenCodePoints) {
    EXPECT_EQ(truncate_utf8("a\xE2\x82\xAC", 3), "a");
    EXPECT_EQ(truncate_utf8("a\xE2\x82\xAC", 4), "a\xE2\x82\xAC");
    EXPECT_EQ(truncate_utf8("\xF0\x9F\x98\x80", 0), "");
}

}  // namespace
}  // namespace notso
