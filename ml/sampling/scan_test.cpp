// find_highest and sum_of_exp against the standard library, one logit at a time.
#include "ml/sampling/scan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace notso::ml {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> logits(std::size_t n, float spread) {
    std::mt19937 rng(static_cast<unsigned>(n));
    std::normal_distribution<float> normal(0, spread);
    std::vector<float> out(n);
    for (float& x : out) x = normal(rng);
    return out;
}

TEST(Scan, FindsTheFirstHighestOfAnyNumber) {
    for (std::size_t n = 1; n < 80; ++n) {
        std::vector<float> all = logits(n, 3);
        for (std::size_t at = 0; at < n; ++at) {
            std::vector<float> one = all;
            one[at] = 50;
            if (at + 1 < n) one[n - 1] = 50;
            EXPECT_EQ(find_highest(one).index, at);
            EXPECT_EQ(find_highest(one).value, 50);
        }
    }
    std::vector<float> many = logits(5000, 3);
    EXPECT_EQ(find_highest(many).index,
              static_cast<std::size_t>(std::ranges::max_element(many) - many.begin()));
    many[4999] = many[1024] = 60;
    EXPECT_EQ(find_highest(many).index, 1024U) << "the first of two blocks";
}

TEST(Scan, OddNumbersAreNoneOrHighest) {
    std::vector<float> all(20, NAN);
    EXPECT_EQ(find_highest(all).value, -kInfinity);
    EXPECT_EQ(find_highest({}).value, -kInfinity);
    all[7] = -kInfinity;
    EXPECT_EQ(find_highest(all).value, -kInfinity);
    all[13] = -3e38F;
    EXPECT_EQ(find_highest(all).index, 13U);
    all[2] = kInfinity;
    EXPECT_EQ(find_highest(all).index, 2U);
}

TEST(Scan, SumsLikeTheStandardLibrary) {
    for (const float spread : {0.01F, 1.0F, 5.0F, 40.0F}) {
        for (const std::size_t n : {1U, 15U, 16U, 1025U, 128'256U}) {
            const std::vector<float> all = logits(n, spread);
            const float highest = *std::ranges::max_element(all);
            double expected = 0;
            for (const float x : all) expected += std::exp(static_cast<double>(x - highest));
            EXPECT_NEAR(sum_of_exp(all, highest) / expected, 1, 1e-6) << n << " " << spread;
        }
    }
}

TEST(Scan, WhatIsFarBelowCountsAsNothing) {
    const std::vector<float> all = {5, -90, -kInfinity, NAN, -3e38F, 5};
    EXPECT_EQ(sum_of_exp(all, 5), 2.0);
}

}  // namespace
}  // namespace notso::ml
