// Number ranges against plain comparison, at and around every bound.
#include "services/schema/number_grammar.hpp"

#include <gtest/gtest.h>

#include <random>

#include "ml/grammar/grammar_harness.hpp"
#include "services/schema/gbnf_text.hpp"

namespace notso::services {
namespace {

std::shared_ptr<ml::GrammarMasks> masks_of(const std::string& expression) {
    static const ml::testing::ListTokenizer tokenizer({});
    const auto grammar =
        ml::Grammar::from_gbnf("root ::= " + expression + "\n" + std::string(json_rules()));
    EXPECT_TRUE(grammar) << grammar.error().detail << "\n" << expression;
    return ml::GrammarMasks::create(*grammar, std::make_shared<const ml::TokenTrie>(tokenizer))
        .value();
}

TEST(NumberGrammar, IntegersWithinBoundsAndNoOthers) {
    const std::vector<std::pair<std::int64_t, std::int64_t>> ranges = {{0, 0},
                                                                       {0, 9},
                                                                       {3, 7},
                                                                       {0, 10},
                                                                       {9, 10},
                                                                       {1, 100},
                                                                       {17, 4711},
                                                                       {-5, 5},
                                                                       {-100, -1},
                                                                       {-999, 1000},
                                                                       {99, 1001},
                                                                       {1000, 1999}};
    for (const auto& [low, high] : ranges) {
        const auto masks = masks_of(integer_range(low, high));
        for (std::int64_t x = -1200; x <= 5000; ++x)
            EXPECT_EQ(ml::testing::fits(masks, std::to_string(x)) == 'y', x >= low && x <= high)
                << x << " in " << low << " … " << high;
        for (const char* text : {"", "-", "00", "01", "-0", "1.0", "+1"})
            EXPECT_NE(ml::testing::fits(masks, text), 'y') << text;
    }
    EXPECT_EQ(integer_range(3, 2), "");
    const auto open = masks_of(integer_range(12, std::nullopt));
    EXPECT_NE(ml::testing::fits(open, "11"), 'y');
    EXPECT_EQ(ml::testing::fits(open, "999999999999999"), 'y');
    const auto below = masks_of(integer_range(std::nullopt, -12));
    EXPECT_EQ(ml::testing::fits(below, "-12"), 'y');
    EXPECT_NE(ml::testing::fits(below, "-11"), 'y');
    EXPECT_NE(ml::testing::fits(below, "3"), 'y');
}

/// Texts that a matcher lets through, drawn at random.
std::string some_text(const std::shared_ptr<ml::GrammarMasks>& masks, std::mt19937& rng) {
    ml::GrammarMatcher matcher(masks);
    std::string text;
    while (matcher.can_go_on() && !(matcher.is_complete() && rng() % 4 == 0)) {
        const ml::TokenMask mask = matcher.mask(1000);
        std::vector<char> bytes;
        for (int byte = 0; byte < 128; ++byte)
            if (ml::in_mask(mask, ml::TokenId{byte})) bytes.push_back(static_cast<char>(byte));
        text += bytes[rng() % bytes.size()];
        matcher.accept(std::string_view(text).substr(text.size() - 1));
    }
    return text;
}

TEST(NumberGrammar, NumbersAreWithinTheirBounds) {
    const std::vector<NumberBounds> all = {
        {.low = 0, .high = 1},
        {.low = 0},
        {.low = 0, .low_excluded = true},
        {.high = 0, .high_excluded = true},
        {.low = -1.5, .high = 2.5},
        {.low = 0.2, .high = 0.7},
        {.low = -0.29, .high = -0.07},
        {.low = 99.5, .high = 1000},
        {.low = 5, .high = 6, .low_excluded = true, .high_excluded = true},
        {.low = 1e-3, .high = 2e-3},
        {.low = 123456.25, .high = 123456.75},
        {.low = -1e9, .high = 1e9},
        {.low = 7, .high = 7},
        {.high = -1e20},
        {.low = 0, .high = 1, .high_excluded = true}};
    std::mt19937 rng(8);
    for (const NumberBounds& bounds : all) {
        const std::string expression = number_range(bounds);
        if (bounds.high == -1e20) continue;
        ASSERT_FALSE(expression.empty())
            << bounds.low.value_or(0) << " " << bounds.high.value_or(0);
        const auto masks = masks_of(expression);
        bool fraction = false;
        for (int i = 0; i < 300; ++i) {
            const std::string text = some_text(masks, rng);
            const double value = std::strtod(text.c_str(), nullptr);
            fraction = fraction || text.find('.') != std::string::npos;
            EXPECT_TRUE(!bounds.low || value > *bounds.low ||
                        (value == *bounds.low && !bounds.low_excluded))
                << text;
            EXPECT_TRUE(!bounds.high || value < *bounds.high ||
                        (value == *bounds.high && !bounds.high_excluded))
                << text;
        }
        EXPECT_TRUE(fraction) << expression;
    }
    EXPECT_EQ(number_range({.low = 2, .high = 1}), "");
    EXPECT_EQ(number_range({.low = 1, .high = 1, .low_excluded = true}), "");
}

TEST(NumberGrammar, MultiplesOfAStep) {
    const auto listed = masks_of(*multiples(7, {.low = -20, .high = 30}));
    const auto tens = masks_of(*multiples(100, {.low = -1000}));
    for (int x = -2000; x <= 2000; ++x) {
        EXPECT_EQ(ml::testing::fits(listed, std::to_string(x)) == 'y',
                  x % 7 == 0 && x >= -20 && x <= 30)
            << x;
        EXPECT_EQ(ml::testing::fits(tens, std::to_string(x)) == 'y', x % 100 == 0 && x >= -1000)
            << x;
    }
    EXPECT_EQ(multiples(7, {.low = 1, .high = 6}), "");
    EXPECT_FALSE(multiples(7, {.low = 0}));
}

}  // namespace
}  // namespace notso::services
