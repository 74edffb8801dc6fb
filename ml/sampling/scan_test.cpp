// Passes over logits against the standard library and plain loops, one logit at a time.
#include "ml/sampling/scan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
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

/// The sum as scan.hpp promises it on every machine: this file is compiled without wide registers
/// and fused operations.
double plain_sum(std::span<const float> all, float highest) {
    double total = 0;
    for (std::size_t first = 0; first < all.size(); first += 1024) {
        std::array<float, 16> sums{};
        for (std::size_t i = first; i < std::min(all.size(), first + 1024); ++i) {
            const float x = all[i] - highest;
            if (!(x >= -87)) continue;
            const float n = std::nearbyint(x * 1.44269504F);
            const float r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
            float series = r * (1.0F / 720) + 1.0F / 120;
            for (const float factor : {1.0F / 24, 1.0F / 6, 0.5F, 1.0F, 1.0F})
                series = series * r + factor;
            sums[i % 16] += std::ldexp(series, static_cast<int>(n));
        }
        for (const float sum : sums) total += static_cast<double>(sum);
    }
    return total;
}

TEST(Scan, SumsHaveTheSameBitsOnEveryMachine) {
    for (const float spread : {0.01F, 3.0F, 40.0F}) {
        for (const std::size_t n : {1U, 17U, 5000U, 128'256U}) {
            const std::vector<float> all = logits(n, spread);
            const float highest = *std::ranges::max_element(all);
            EXPECT_EQ(sum_of_exp(all, highest), plain_sum(all, highest)) << n << " " << spread;
        }
    }
}

TEST(Scan, FindsAllThatAreAtLeastSoMuch) {
    for (const std::size_t n : {0U, 1U, 15U, 16U, 33U, 5000U}) {
        std::vector<float> all = logits(n, 3);
        if (n > 2) all[1] = NAN;
        for (const float least : {-kInfinity, -2.0F, 0.5F, 7.0F, kInfinity}) {
            std::vector<std::uint32_t> found(n);
            found.resize(find_at_least(all, least, found));
            std::vector<std::uint32_t> expected;
            for (std::uint32_t i = 0; i < n; ++i)
                if (all[i] >= least) expected.push_back(i);
            EXPECT_EQ(found, expected) << n << " " << least;
        }
    }
}

TEST(Scan, CopiesWhatIsNoNumberAsNeverAndInfinityAsTheGreatest) {
    for (const std::size_t n : {3U, 16U, 21U}) {
        std::vector<float> all = logits(n, 3);
        std::vector<float> expected = all;
        all[0] = NAN;
        all[1] = kInfinity;
        all[n - 1] = -kInfinity;
        expected[0] = expected[n - 1] = -kInfinity;
        expected[1] = std::numeric_limits<float>::max();
        std::vector<float> out(n);
        copy_usable(all, out);
        EXPECT_EQ(out, expected);
    }
}

TEST(Scan, WhatIsFarBelowCountsAsNothing) {
    const std::vector<float> all = {5, -90, -kInfinity, NAN, -3e38F, 5};
    EXPECT_EQ(sum_of_exp(all, 5), 2.0);
}

}  // namespace
}  // namespace notso::ml
