// Conversions of numbers that came from outside: every one is checked before it becomes smaller.
#include "services/backend/local_settings.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.hpp"

namespace notso::services {
namespace {

constexpr std::int64_t kMaxInt = std::numeric_limits<std::int32_t>::max();

/// Numbers beyond float become infinite, which the range check refuses.
float narrow(double value) {
    constexpr double kMax = std::numeric_limits<float>::max();
    if (std::abs(value) > kMax)
        return std::copysign(std::numeric_limits<float>::infinity(),
                             static_cast<float>(value > 0 ? 1 : -1));
    return static_cast<float>(value);
}

}  // namespace

SamplingDefaults sampling_defaults(std::uint64_t n_parameters) noexcept {
    constexpr std::uint64_t kSmall = 1'000'000'000;
    if (n_parameters == 0 || n_parameters >= kSmall) return {};
    return {.temperature = 0.0, .top_p = 0.9, .repeat_penalty = 1.1};
}

Result<ml::SamplingParams> to_sampling_params(const SamplingSettings& settings,
                                              const SamplingDefaults& defaults) {
    ml::SamplingParams params;
    params.temperature = narrow(settings.temperature.value_or(defaults.temperature));
    params.top_p = narrow(settings.top_p.value_or(defaults.top_p));
    params.min_p = narrow(settings.min_p.value_or(0));
    // Who asks for temperature 0 wants the model's own best tokens, unchanged.
    const bool asked_for_greedy = settings.temperature && *settings.temperature == 0;
    const double default_penalty = asked_for_greedy ? 1.0 : defaults.repeat_penalty;
    params.repeat_penalty = narrow(settings.repeat_penalty.value_or(default_penalty));
    params.presence_penalty = narrow(settings.presence_penalty.value_or(0));
    params.frequency_penalty = narrow(settings.frequency_penalty.value_or(0));
    params.top_k = static_cast<std::int32_t>(
        std::clamp<std::int64_t>(settings.top_k.value_or(0), -1, kMaxInt));
    params.seed = settings.seed ? *settings.seed : random_u64();
    for (const auto& [id, bias] : settings.logit_bias) {
        if (id < 0 || id > kMaxInt)
            return fail(ErrorCode::kInvalidArgument, "logit_bias: {} is no token id", id);
        params.logit_bias.emplace_back(ml::TokenId{static_cast<std::int32_t>(id)}, narrow(bias));
    }
    NOTSO_CHECK(ml::validate(params));
    return params;
}

Result<std::int32_t> to_max_tokens(std::int64_t max_tokens) {
    if (max_tokens < 0)
        return fail(ErrorCode::kInvalidArgument, "max_tokens: {} is negative", max_tokens);
    return static_cast<std::int32_t>(std::min(max_tokens, kMaxInt));
}

}  // namespace notso::services
