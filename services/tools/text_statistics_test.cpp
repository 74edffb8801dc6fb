#include "services/tools/text_statistics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace notso::services {
namespace {

using ::testing::HasSubstr;

std::string counted(std::string_view text, std::string_view find = {}) {
    const ToolBox box({make_text_statistics()});
    boost::json::object arguments{{"text", text}};
    if (!find.empty()) arguments["find"] = find;
    const ToolOutput output = box.run({"text_statistics", boost::json::serialize(arguments)}, {});
    EXPECT_FALSE(output.is_error) << output.text;
    return output.text + "\n";
}

TEST(TextStatisticsTest, CountsEverything) {
    EXPECT_EQ(
        counted("Don't panic! It's 3.14, isn't it?\nA co-operative line.\n\nNew paragraph", "A"),
        "characters: 69\ncharacters without spaces: 58\nletters: 46\ndigits: 3\nwords: "
        "11\ndistinct words: 11\nsentences: 4\nlines: 4\nparagraphs: 2\nreading time: 3 "
        "s\noccurrences of \"A\": 6\n");
}

TEST(TextStatisticsTest, KnowsOtherScripts) {
    EXPECT_THAT(counted("Größe größe GRÖSSE"), HasSubstr("\nwords: 3\ndistinct words: 1\n"));
    EXPECT_THAT(counted("日本語です。はい！"), HasSubstr("\nwords: 7\n"));
    EXPECT_THAT(counted("日本語です。はい！"), HasSubstr("\nsentences: 2\n"));
    EXPECT_THAT(counted("Привет, мир. Как дела?"), HasSubstr("\nwords: 4\n"));
    EXPECT_THAT(counted("cafe\u0301 noir"), HasSubstr("\nwords: 2\n"));
    EXPECT_THAT(counted("नमस्ते दुनिया।"), HasSubstr("\nwords: 2\n"));
}

TEST(TextStatisticsTest, EmptyAndHostileTexts) {
    EXPECT_THAT(counted(""), HasSubstr("characters: 0\n"));
    EXPECT_THAT(counted(""), HasSubstr("lines: 0\n"));
    EXPECT_THAT(counted("\n\n \n"), HasSubstr("lines: 3\nparagraphs: 0\n"));
    EXPECT_THAT(counted("... !!! ???"), HasSubstr("sentences: 0\n"));
    EXPECT_THAT(counted(std::string(60'000, 'a'), "aa"), HasSubstr("\": 30000\n"));
    EXPECT_THAT(counted("strawberry", "r"), HasSubstr("occurrences of \"r\": 3\n"));
}

}  // namespace
}  // namespace notso::services
