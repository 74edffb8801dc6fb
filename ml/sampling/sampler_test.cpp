// The sampler against plain definitions of each step, and its promises: determinism, ties, odd
// logits.
#include "ml/sampling/sampler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

namespace notso::ml {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

SamplingParams plain() {
    SamplingParams params;
    params.temperature = 1;
    params.top_p = 1;
    return params;
}

SamplingParams greedy() {
    SamplingParams params;
    params.temperature = 0;
    return params;
}

std::int32_t pick(const SamplingParams& params, const std::vector<float>& logits) {
    return to_int(Sampler(params).sample(logits).value());
}

/// How often each token is drawn.
std::map<std::int32_t, double> frequencies(const SamplingParams& params,
                                           const std::vector<float>& logits,
                                           int draws) {
    Sampler sampler(params);
    std::map<std::int32_t, double> shares;
    for (int i = 0; i < draws; ++i) shares[to_int(sampler.sample(logits).value())] += 1.0 / draws;
    return shares;
}

std::vector<float> random_logits(std::size_t n, std::uint32_t seed, double spread = 3) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(0, spread);
    std::vector<float> logits(n);
    for (float& x : logits) x = static_cast<float>(normal(random));
    return logits;
}

TEST(Prng, GivesThePublishedNumbers) {
    // From the reference code of both authors (splitmix64 seeded with 0, then xoshiro256**), run
    // separately.
    Prng prng(0);
    EXPECT_EQ(prng.next(), 0x99EC5F36CB75F2B4U);
    EXPECT_EQ(prng.next(), 0xBF6E1F784956452AU);
    EXPECT_EQ(prng.next(), 0x1A5F849D4933E6E0U);
    for (int i = 0; i < 1000; ++i) {
        const double u = prng.uniform();
        ASSERT_GE(u, 0.0);
        ASSERT_LT(u, 1.0);
    }
}

TEST(Sampler, GreedyTakesTheHighestAndTheLowestIdOnATie) {
    EXPECT_EQ(pick(greedy(), {1, 5, 5, 2}), 1);
    EXPECT_EQ(pick(greedy(), {-3, -1, -2}), 1);
}

TEST(Sampler, OddLogitsNeverWin) {
    EXPECT_EQ(pick(greedy(), {kNan, 1, kNan}), 1);
    EXPECT_EQ(pick(greedy(), {0, kInf, 3}), 1);
    EXPECT_EQ(pick(greedy(), {-kInf, -1000, -kInf}), 1);
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        SamplingParams params;
        params.seed = seed;
        EXPECT_EQ(pick(params, {kNan, 1, -kInf, kNan}), 1);
        EXPECT_EQ(pick(params, {0, 1, kInf}), 2);
    }
    for (const float temperature : {0.0F, 1.0F}) {
        SamplingParams params = plain();
        params.temperature = temperature;
        EXPECT_FALSE(Sampler(params).sample(std::vector{kNan, -kInf}));
        EXPECT_FALSE(Sampler(params).sample(std::vector<float>()));
    }
}

TEST(Sampler, DrawsAsOftenAsSoftmaxSays) {
    SamplingParams params = plain();
    params.temperature = 2;
    const std::vector<float> logits = {2, 0, 1};
    double total = 0;
    for (const float x : logits) total += std::exp(x / 2.0);
    const auto shares = frequencies(params, logits, 40'000);
    for (std::size_t i = 0; i < logits.size(); ++i) {
        EXPECT_NEAR(
            shares.at(static_cast<std::int32_t>(i)), std::exp(logits[i] / 2.0) / total, 0.01);
    }
}

TEST(Sampler, SameSeedSameTokens) {
    const auto logits = random_logits(1000, 1);
    SamplingParams params = plain();
    params.temperature = 1.5F;
    const auto run = [&](std::uint64_t seed) {
        params.seed = seed;
        Sampler sampler(params);
        std::vector<std::int32_t> ids;
        for (int i = 0; i < 20; ++i) ids.push_back(to_int(sampler.sample(logits).value()));
        return ids;
    };
    EXPECT_EQ(run(42), run(42));
    EXPECT_NE(run(42), run(43));
}

TEST(Sampler, TopKLeavesTheKBest) {
    SamplingParams params = plain();
    params.temperature = 10;
    params.top_k = 3;
    const auto shares = frequencies(params, {0, 5, 4, 5, 1, 4, -2}, 3000);
    std::vector<std::int32_t> ids;
    for (const auto& [id, share] : shares) ids.push_back(id);
    EXPECT_EQ(ids, (std::vector{1, 2, 3})) << "of the two 4s, the lower id stays";
    params.top_k = 1'000'000;
    EXPECT_EQ(frequencies(params, {0, 0, 0}, 3000).size(), 3U);
    params.top_k = 1;
    EXPECT_EQ(pick(params, {1, 7, 7}), 1);
}

/// The set that top-k, top-p and min-p leave, by full sort and plain definition.
std::vector<std::int32_t> survivors(const SamplingParams& params,
                                    const std::vector<float>& logits) {
    std::vector<std::int32_t> ids(logits.size());
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i);
    const auto at = [&](std::int32_t id) { return logits[static_cast<std::size_t>(id)]; };
    std::stable_sort(ids.begin(), ids.end(), [&](auto a, auto b) { return at(a) > at(b); });
    if (params.top_k > 0) ids.resize(std::min(ids.size(), static_cast<std::size_t>(params.top_k)));
    double total = 0;
    for (const auto id : ids) total += std::exp(static_cast<double>(at(id)));
    std::vector<std::int32_t> kept;
    double sum = 0;
    for (const auto id : ids) {
        const double p = std::exp(static_cast<double>(at(id))) / total;
        const double best = std::exp(static_cast<double>(at(ids[0]))) / total;
        if (!kept.empty() && (sum >= static_cast<double>(params.top_p) ||
                              p < static_cast<double>(params.min_p) * best))
            break;
        kept.push_back(id);
        sum += p;
    }
    std::sort(kept.begin(), kept.end());
    return kept;
}

TEST(Sampler, TruncationEqualsItsDefinition) {
    std::mt19937 random(3);
    for (std::uint32_t round = 0; round < 60; ++round) {
        const auto logits = random_logits(40, round, 1.5);
        SamplingParams params = plain();
        params.top_k = static_cast<std::int32_t>(random() % 20);
        params.top_p = 0.3F + 0.1F * static_cast<float>(random() % 8);
        params.min_p = 0.05F * static_cast<float>(random() % 4);
        params.temperature = 10;  // flat, so that every survivor is drawn
        params.seed = round;
        std::vector<std::int32_t> drawn;
        for (const auto& [id, share] : frequencies(params, logits, 4000)) drawn.push_back(id);
        ASSERT_EQ(drawn, survivors(params, logits)) << "round " << round;
    }
}

TEST(Sampler, TopPWalksFarIntoABigFlatVocabulary) {
    SamplingParams params = plain();
    params.top_p = 0.5F;
    const std::vector<float> flat(5000, 1.0F);
    std::int32_t highest = 0;
    for (const auto& [id, share] : frequencies(params, flat, 1000)) highest = std::max(highest, id);
    EXPECT_LT(highest, 2501);
    EXPECT_GT(highest, 2400);
}

/// One token has half of all, many equal ones far below it the other half: a tenth of them is
/// needed.
TEST(Sampler, TopPFindsWhatLiesFarBelowTheBest) {
    SamplingParams params = plain();
    params.top_p = 0.55F;
    params.temperature = 10;
    for (const double below : {2.5, 5.0, 9.0, 10.5}) {
        const double n = std::exp(below);
        std::vector<float> logits(1 + static_cast<std::size_t>(n), static_cast<float>(-below));
        logits[0] = 0;
        std::int32_t highest = 0;
        for (const auto& [id, share] : frequencies(params, logits, 1000))
            highest = std::max(highest, id);
        EXPECT_LE(highest, n * 0.1 + 1) << below;
        EXPECT_GE(highest, n * 0.09) << below;
    }
}

TEST(Sampler, TinyTopPLeavesOne) {
    SamplingParams params = plain();
    params.top_p = 1e-6F;
    for (params.seed = 0; params.seed < 20; ++params.seed) EXPECT_EQ(pick(params, {1, 1.1F, 1}), 1);
}

TEST(Sampler, LowTemperaturesComeCloseToGreedy) {
    SamplingParams params = plain();
    for (const float temperature : {1e-3F, 1e-30F, std::numeric_limits<float>::denorm_min()}) {
        params.temperature = temperature;
        EXPECT_EQ(pick(params, {1, 3, 2}), 1);
    }
}

TEST(Sampler, BiasMovesAndForbids) {
    SamplingParams params = greedy();
    params.logit_bias = {{TokenId{2}, 100.0F}, {TokenId{999}, 5.0F}};
    EXPECT_EQ(pick(params, {50, 1, 2}), 2);
    params.logit_bias = {{TokenId{0}, -100.0F}};
    EXPECT_EQ(pick(params, {50, 1, 2}), 2);
}

TEST(Sampler, RepeatPenaltyDividesPositiveAndMultipliesNegative) {
    SamplingParams params = greedy();
    params.repeat_penalty = 2;
    Sampler positive(params);
    positive.accept(TokenId{0});
    EXPECT_EQ(to_int(positive.sample(std::vector{3.0F, 1.6F}).value()), 1);
    EXPECT_EQ(to_int(positive.sample(std::vector{3.0F, 1.4F}).value()), 0);
    Sampler negative(params);
    negative.accept(TokenId{0});
    EXPECT_EQ(to_int(negative.sample(std::vector{-1.0F, -1.9F}).value()), 1);
    EXPECT_EQ(to_int(negative.sample(std::vector{-1.0F, -2.1F}).value()), 0);
}

TEST(Sampler, PresenceCountsOnceFrequencyEveryTime) {
    SamplingParams params = greedy();
    params.presence_penalty = 1;
    params.frequency_penalty = 0.5F;
    Sampler sampler(params);
    for (int i = 0; i < 3; ++i) sampler.accept(TokenId{0});  // 1 + 3 * 0.5 = 2.5
    EXPECT_EQ(to_int(sampler.sample(std::vector{3.0F, 0.6F}).value()), 1);
    EXPECT_EQ(to_int(sampler.sample(std::vector{3.0F, 0.4F}).value()), 0);
}

TEST(Sampler, PenaltiesForgetWhatLeftTheWindow) {
    SamplingParams params = greedy();
    params.presence_penalty = 2;
    params.penalty_window = 2;
    Sampler sampler(params);
    sampler.accept(TokenId{0});
    sampler.accept(TokenId{1});
    EXPECT_EQ(to_int(sampler.sample(std::vector{3.0F, 0.0F, 2.0F}).value()), 2);
    sampler.accept(TokenId{1});
    EXPECT_EQ(to_int(sampler.sample(std::vector{3.0F, 0.0F, 2.0F}).value()), 0);
}

TEST(Sampler, WhatIsMaskedCannotBeDrawn) {
    const std::vector<std::uint64_t> mask = {0b1010, 0b1};  // tokens 1, 3 and 64
    std::vector<float> logits(70, 5.0F);
    logits[1] = 1;
    logits[3] = 2;
    logits[64] = kNan;
    EXPECT_EQ(to_int(Sampler(greedy()).sample(logits, mask).value()), 3);
    SamplingParams params;
    params.temperature = 1;
    params.top_p = 1;
    params.top_k = 2;
    params.logit_bias = {{TokenId{0}, 100.0F}};
    Sampler sampler(params);
    std::vector<int> counts(70);
    for (int i = 0; i < 1000; ++i) ++counts[to_index(sampler.sample(logits, mask).value())];
    EXPECT_EQ(counts[1] + counts[3], 1000);
    EXPECT_NEAR(counts[1], 269, 60) << "e^1 against e^2";
    EXPECT_FALSE(Sampler(greedy()).sample(logits, std::vector<std::uint64_t>{0}));
    EXPECT_FALSE(Sampler(greedy()).sample(logits, std::vector<std::uint64_t>{0, 1})) << "NaN";
}

TEST(Sampler, AMaskOfEverythingChangesNothing) {
    const std::vector<std::uint64_t> mask(2, ~std::uint64_t{0});
    SamplingParams params;
    params.temperature = 1.5F;
    params.top_p = 0.9F;
    params.min_p = 0.01F;
    params.seed = 4;
    Sampler plain(params);
    Sampler masked(params);
    std::vector<float> logits(100);
    for (std::size_t i = 0; i < logits.size(); ++i)
        logits[i] = static_cast<float>(i * 37 % 100) / 10;
    for (int i = 0; i < 200; ++i)
        EXPECT_EQ(plain.sample(logits).value(), masked.sample(logits, mask).value());
}

TEST(SamplingParams, EveryFieldHasARange) {
    EXPECT_TRUE(validate(SamplingParams{}));
    const auto broken = [](auto change) {
        SamplingParams params;
        change(params);
        const auto result = validate(params);
        return result ? std::string("accepted") : result.error().detail;
    };
    for (const float bad : {kNan, kInf, -kInf, -1.0F, 1e30F}) {
        EXPECT_TRUE(broken([&](auto& p) { p.temperature = bad; }).starts_with("temperature"))
            << bad;
        EXPECT_TRUE(broken([&](auto& p) { p.top_p = bad; }).starts_with("top_p")) << bad;
        EXPECT_TRUE(broken([&](auto& p) { p.min_p = bad; }).starts_with("min_p")) << bad;
        EXPECT_TRUE(broken([&](auto& p) { p.repeat_penalty = bad; }).starts_with("repeat_penalty"))
            << bad;
    }
    for (const float bad : {kNan, kInf, -kInf, -2.1F, 2.1F}) {
        EXPECT_TRUE(
            broken([&](auto& p) { p.presence_penalty = bad; }).starts_with("presence_penalty"))
            << bad;
        EXPECT_TRUE(
            broken([&](auto& p) { p.frequency_penalty = bad; }).starts_with("frequency_penalty"))
            << bad;
        EXPECT_TRUE(broken([&](auto& p) {
                        p.logit_bias = {{TokenId{1}, bad * 50}};
                    }).starts_with("logit_bias"))
            << bad;
    }
    EXPECT_TRUE(broken([](auto& p) { p.top_p = 0; }).starts_with("top_p"));
    EXPECT_TRUE(broken([](auto& p) { p.repeat_penalty = 0; }).starts_with("repeat_penalty"));
    EXPECT_TRUE(broken([](auto& p) { p.top_k = -1; }).starts_with("top_k"));
    EXPECT_TRUE(broken([](auto& p) { p.penalty_window = -1; }).starts_with("penalty_window"));
    EXPECT_TRUE(
        broken([](auto& p) { p.logit_bias = {{TokenId{-1}, 0.0F}}; }).starts_with("logit_bias"));
}

}  // namespace
}  // namespace notso::ml
