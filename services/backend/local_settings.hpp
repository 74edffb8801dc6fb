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
/// spread their probability too widely for that and fall into loops: they get 0.2, 0.9 and a repeat
/// penalty of 1.1 (measured on SmolLM2-135M: 0.4 % repeated 4-grams instead of 18 %, and twice the
/// chance of a first token that leads somewhere).
/// @param n_parameters  0 when unknown: counts as large.
SamplingDefaults sampling_defaults(std::uint64_t n_parameters) noexcept;

/// Without a seed, a random one. The default repeat penalty is left out at temperature 0, so that
/// greedy decoding stays the plain highest logit.
/// @errors kInvalidArgument naming field and range.
Result<ml::SamplingParams> to_sampling_params(const SamplingSettings& settings,
                                              const SamplingDefaults& defaults);

/// @errors kInvalidArgument when it is negative. More than fits in 32 bits means "no limit".
Result<std::int32_t> to_max_tokens(std::int64_t max_tokens);

}  // namespace notso::services
