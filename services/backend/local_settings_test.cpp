// Numbers from outside: defaults, ranges, and values that don't fit the engine's types.
#include "services/backend/local_settings.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace notso::services {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(LocalSettings, DefaultsAndARandomSeed) {
    const auto params = to_sampling_params({}, {}).value();
    EXPECT_FLOAT_EQ(params.temperature, 0.6F);
    EXPECT_FLOAT_EQ(params.top_p, 0.95F);
    EXPECT_EQ(params.top_k, 0);
    EXPECT_NE(params.seed, to_sampling_params({}, {}).value().seed);
}

TEST(LocalSettings, SmallModelsAreSampledMoreCarefully) {
    const SamplingDefaults small = sampling_defaults(135'000'000);
    EXPECT_FLOAT_EQ(to_sampling_params({}, small)->temperature, 0.0F);
    EXPECT_FLOAT_EQ(to_sampling_params({}, small)->top_p, 0.9F);
    EXPECT_FLOAT_EQ(to_sampling_params({}, small)->repeat_penalty, 1.1F);
    EXPECT_FLOAT_EQ(to_sampling_params({.temperature = 0.0}, small)->repeat_penalty, 1.0F)
        << "greedy stays pure";
    EXPECT_FLOAT_EQ(
        to_sampling_params({.temperature = 0.0, .repeat_penalty = 1.3}, small)->repeat_penalty,
        1.3F);
    EXPECT_FLOAT_EQ(to_sampling_params({}, sampling_defaults(3'000'000'000))->temperature, 0.6F);
    EXPECT_FLOAT_EQ(to_sampling_params({}, sampling_defaults(0))->temperature, 0.6F);
}

TEST(LocalSettings, TakesWhatIsGiven) {
    SamplingSettings settings{
        .temperature = 0.0, .top_p = 0.5, .min_p = 0.1, .top_k = 40, .seed = 7};
    settings.logit_bias = {{5, -100.0}};
    const auto params = to_sampling_params(settings, {}).value();
    EXPECT_EQ(params.temperature, 0);
    EXPECT_EQ(params.top_k, 40);
    EXPECT_EQ(params.seed, 7U);
    EXPECT_EQ(params.logit_bias.front().first, ml::TokenId{5});
    settings.top_k = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(to_sampling_params(settings, {}).value().top_k,
              std::numeric_limits<std::int32_t>::max());
}

TEST(LocalSettings, RefusesEveryNumberOutOfRange) {
    for (const double bad :
         {-1.0, 1e308, -1e308, kInfinity, -kInfinity, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_FALSE(to_sampling_params({.temperature = bad}, {})) << bad;
        EXPECT_FALSE(to_sampling_params({.top_p = bad}, {})) << bad;
        EXPECT_FALSE(to_sampling_params({.min_p = bad}, {})) << bad;
        EXPECT_FALSE(to_sampling_params({.repeat_penalty = bad}, {})) << bad;
    }
    EXPECT_FALSE(to_sampling_params({.presence_penalty = 1e308}, {}));
    EXPECT_FALSE(to_sampling_params({.frequency_penalty = -kInfinity}, {}));
    EXPECT_FALSE(to_sampling_params({.top_k = std::numeric_limits<std::int64_t>::min()}, {}));
    for (const std::int64_t id : {std::int64_t{-1}, std::int64_t{1} << 31, std::int64_t{1} << 32}) {
        SamplingSettings settings;
        settings.logit_bias = {{id, 1.0}};
        EXPECT_FALSE(to_sampling_params(settings, {})) << id;
    }
}

TEST(LocalSettings, MaxTokens) {
    EXPECT_EQ(to_max_tokens(0).value(), 0);
    EXPECT_EQ(to_max_tokens(std::int64_t{1} << 40).value(),
              std::numeric_limits<std::int32_t>::max());
    EXPECT_FALSE(to_max_tokens(-1));
}

}  // namespace
}  // namespace notso::services
