// From a chat request's settings to the engine's sampling parameters: defaults, conversions, range
// checks.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "ml/sampling/params.hpp"
#include "services/backend/chat_backend.hpp"

namespace notso::services {

/// What a model uses where the request is silent.
struct SamplingDefaults {
    double temperature = 0.6;
    double top_p = 0.95;
    double repeat_penalty = 1.0;
};

/// Temperature 0.6 and top-p 0.95, as SmolLM3's makers recommend. Models below a billion parameters
/// spread their probability too widely for that and fall into loops: they take the best token, with
/// a repeat penalty of 1.1. SmolLM2-135M gives the best first token of an answer a probability of
/// 0.15, the second 0.14, so that sampling often begins with a stray one.
/// @param n_parameters  0 when unknown: counts as large.
SamplingDefaults sampling_defaults(std::uint64_t n_parameters) noexcept;

/// Without a seed, a random one. Who asks for temperature 0 gets no default repeat penalty, so that
/// greedy decoding on request stays the plain highest logit.
/// @errors kInvalidArgument naming field and range.
Result<ml::SamplingParams> to_sampling_params(const SamplingSettings& settings,
                                              const SamplingDefaults& defaults);

/// @errors kInvalidArgument when it is negative. More than fits in 32 bits means "no limit".
Result<std::int32_t> to_max_tokens(std::int64_t max_tokens);

}  // namespace notso::services
