#include "services/chat/title.hpp"

#include <gtest/gtest.h>

#include "base/utf8.hpp"

namespace notso::services {
namespace {

TEST(Title, IsTheFirstLineThatSaysSomething) {
    EXPECT_EQ(make_title("What is the capital of France?"), "What is the capital of France?");
    EXPECT_EQ(make_title("\n \t\r\n  Hello\t there \r\nsecond"), "Hello there");
    EXPECT_EQ(make_title(" \n\n"), "New chat");
    EXPECT_EQ(make_title(std::string_view("a\0b\x1b[31m", 9)), "a b [31m");
}

TEST(Title, KeepsSixtyCharactersAndCutsLongerOnesAtAWord) {
    const std::string sixty(60, 'x');
    EXPECT_EQ(make_title(sixty), sixty);
    EXPECT_EQ(make_title(sixty + "x"), std::string(59, 'x') + "…");
    EXPECT_EQ(make_title("one two three four five six seven eight nine ten eleven twelve thirteen"),
              "one two three four five six seven eight nine ten eleven…");
    EXPECT_EQ(make_title(std::string(59, 'y') + " tail"), std::string(59, 'y') + "…");
    EXPECT_EQ(make_title("short " + std::string(80, 'z')), "short " + std::string(53, 'z') + "…");
}

TEST(Title, CountsCharactersNotBytes) {
    std::string long_text;
    for (int i = 0; i < 70; ++i) long_text += "日";
    const std::string title = make_title(long_text);
    EXPECT_TRUE(is_valid_utf8(title));
    EXPECT_EQ(title.size(), 59u * 3u + 3u);
}

}  // namespace
}  // namespace notso::services
