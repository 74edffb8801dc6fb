// Log probabilities against the definition of softmax.
#include "ml/sampling/logprobs.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace notso::ml {
namespace {

TEST(Logprobs, AreTheLogarithmOfSoftmax) {
    const std::vector<float> logits = {1, 3, 2, 3};
    double total = 0;
    for (const float x : logits) total += std::exp(static_cast<double>(x));
    const TokenChances chances = token_chances(logits, TokenId{2}, 3);
    EXPECT_NEAR(chances.chosen, std::log(std::exp(2.0) / total), 1e-6);
    ASSERT_EQ(chances.top.size(), 3U);
    EXPECT_EQ(chances.top[0].first, TokenId{1}) << "the lowest id on a tie";
    EXPECT_EQ(chances.top[1].first, TokenId{3});
    EXPECT_EQ(chances.top[2].first, TokenId{2});
    EXPECT_NEAR(chances.top[0].second, std::log(std::exp(3.0) / total), 1e-6);
}

TEST(Logprobs, StayFiniteForOddLogits) {
    constexpr float kInf = std::numeric_limits<float>::infinity();
    const std::vector<float> logits = {std::nanf(""), -kInf, kInf, 1e30F};
    const TokenChances chances = token_chances(logits, TokenId{0}, 20);
    EXPECT_EQ(chances.chosen, kLowestLogprob);
    ASSERT_EQ(chances.top.size(), 4U);
    EXPECT_EQ(chances.top[0].first, TokenId{2});
    EXPECT_EQ(chances.top[0].second, 0.0F);
    for (const auto& [id, logprob] : chances.top) EXPECT_TRUE(std::isfinite(logprob));
    EXPECT_EQ(token_chances({}, TokenId{0}, 3).chosen, kLowestLogprob);
    EXPECT_EQ(token_chances(std::vector{-kInf, -kInf}, TokenId{0}, 1).chosen, kLowestLogprob);
}

}  // namespace
}  // namespace notso::ml
