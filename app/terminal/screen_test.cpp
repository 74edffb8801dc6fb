// Texts that must not be longer than a row, and texts that come from elsewhere.
#include "app/terminal/screen.hpp"

#include <gtest/gtest.h>

#include <clocale>

#include "app/terminal/line_editor.hpp"

namespace notso::app {
namespace {

class ColumnsTest : public testing::Test {
  protected:
    void SetUp() override { std::setlocale(LC_CTYPE, "C.UTF-8"); }
    void TearDown() override { std::setlocale(LC_CTYPE, "C"); }
};

TEST_F(ColumnsTest, WhatFitsStaysAsItIs) {
    for (const std::string_view text : {"", "a", "hello", "日本", "naïve"}) {
        EXPECT_EQ(first_columns(text, 5), text);
        EXPECT_EQ(last_columns(text, 5), text);
    }
}

TEST_F(ColumnsTest, TheRestIsToldByThreeDots) {
    EXPECT_EQ(first_columns("hello world", 6), "hello…");
    EXPECT_EQ(last_columns("hello world", 6), "…world");
    EXPECT_EQ(first_columns("日本語日本語", 6), "日本…") << "wide characters take two columns";
    EXPECT_EQ(last_columns("日本語日本語", 6), "…本語");
    EXPECT_EQ(last_columns("e\xCC\x81 e\xCC\x81", 2), "…e\xCC\x81") << "accents take none";
    EXPECT_EQ(first_columns("ab", 1), "…");
    EXPECT_EQ(first_columns("ab", 0), "");
    EXPECT_EQ(last_columns("ab", 0), "");
}

TEST(CleanPasted, KeepsLinesAndTabsAndNothingElse) {
    EXPECT_EQ(clean_pasted("a\rb\r\nc\nd\te\n\n"), "a\nb\nc\nd\te");
    EXPECT_EQ(clean_pasted("\x1b[31mred\x07\x7f"), "[31mred");
    EXPECT_EQ(clean_pasted("\r\n"), "");
    EXPECT_EQ(clean_pasted("日本 \xFF!"), "日本 !");
}

}  // namespace
}  // namespace notso::app
