// The flags are removed as whole words only; what remains is hidden from templates that search for
// the letters.
#include "services/prompt/thinking_flags.hpp"

#include <gtest/gtest.h>

namespace notso::services {
namespace {

TEST(ThinkingFlags, WholeWordsAreRemoved) {
    EXPECT_EQ(strip_thinking_flags("/no_think Answer in German."), "Answer in German.");
    EXPECT_EQ(strip_thinking_flags("Be brief. /think"), "Be brief. ");
    EXPECT_EQ(strip_thinking_flags("/think"), "");
    EXPECT_EQ(strip_thinking_flags("a\n/think\nb (/no_think), /think."), "a\n\nb (), .");
    EXPECT_EQ(strip_thinking_flags("/think /no_think x"), "x");
}

TEST(ThinkingFlags, PartsOfLongerWordsStay) {
    for (const char* text : {"/thinking",
                             "a/think",
                             "https://x.y/think",
                             "/think/tank",
                             "./think",
                             "/no_thinking",
                             "/think_x",
                             "/think-tank",
                             "think",
                             "/Think",
                             "ü/think",
                             "<think>a</think>"}) {
        EXPECT_EQ(strip_thinking_flags(text), text);
    }
}

TEST(ThinkingFlags, WhatRemainsIsHidden) {
    EXPECT_EQ(hide_thinking_flags("see /thinking and x/no_think", "@"),
              "see /@thinking and x/@no_think");
    EXPECT_EQ(hide_thinking_flags("nothing/here", "@"), "nothing/here");
}

}  // namespace
}  // namespace notso::services
