// SpecialMatcher: leftmost, then longest; forbidden places; limits.
#include "ml/tokenizer/special_matcher.hpp"

#include <gtest/gtest.h>

#include <string>

namespace notso::ml {
namespace {

SpecialMatcher matcher(std::initializer_list<std::string_view> texts) {
    SpecialMatcher out;
    int id = 0;
    for (const std::string_view text : texts) {
        EXPECT_TRUE(out.add(text, static_cast<TokenId>(id++)).has_value());
    }
    return out;
}

std::string found(const SpecialMatcher& matcher,
                  std::string_view text,
                  std::vector<std::size_t> forbidden = {}) {
    std::string out;
    std::size_t from = 0;
    while (const auto match = matcher.find(text, from, forbidden)) {
        out += std::to_string(match->begin) + "-" + std::to_string(match->end) + ":" +
               std::to_string(to_int(match->id)) + " ";
        from = match->end;
    }
    return out;
}

TEST(SpecialMatcher, LeftmostThenLongest) {
    const auto m = matcher({"<a>", "<a>b", "a>bcd", "bb"});
    EXPECT_EQ(found(m, "x<a>bcd"), "1-5:1 ");
    EXPECT_EQ(found(m, "<a>c<a>"), "0-3:0 4-7:0 ");
    EXPECT_EQ(found(m, "bbb"), "0-2:3 ");
    EXPECT_EQ(found(m, "<a"), "");
    EXPECT_EQ(found(m, ""), "");
}

TEST(SpecialMatcher, ForbiddenPlacesBeginNoToken) {
    const auto m = matcher({"<a>", "a>"});
    EXPECT_EQ(found(m, "<a><a>", {0}), "1-3:1 3-6:0 ");
    EXPECT_EQ(found(m, "<a><a>", {0, 1, 3}), "4-6:1 ");
    EXPECT_EQ(found(m, "<a><a>", {0, 1, 2, 3, 4, 5}), "");
    EXPECT_EQ(found(m, "<a>", {1, 2, 3, 100}), "0-3:0 ");
}

TEST(SpecialMatcher, EmptyTextsDuplicatesAndLengths) {
    auto m = matcher({"", "x", "x"});
    EXPECT_EQ(found(m, "axb"), "1-2:2 ");
    EXPECT_EQ(m.exact("x"), static_cast<TokenId>(2));
    EXPECT_EQ(m.exact(""), std::nullopt);
    EXPECT_TRUE(m.add(std::string(512, 'y'), static_cast<TokenId>(3)).has_value());
    const auto longer = m.add(std::string(513, 'y'), static_cast<TokenId>(4));
    ASSERT_FALSE(longer.has_value());
    EXPECT_EQ(longer.error().code, ErrorCode::kCorruptData);
    EXPECT_TRUE(matcher({}).empty());
}

}  // namespace
}  // namespace notso::ml
