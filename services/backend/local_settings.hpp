// From a chat request's settings to the engine's sampling parameters: defaults, conversions, range
// checks.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "ml/sampling/params.hpp"
#include "services/backend/chat_backend.hpp"

namespace notso::services {

/// Defaults of a model where the request is silent: temperature 0.6, top-p 0.95, and a random seed.
/// @errors kInvalidArgument naming field and range.
Result<ml::SamplingParams> to_sampling_params(const SamplingSettings& settings);

/// @errors kInvalidArgument when it is negative. More than fits in 32 bits means "no limit".
Result<std::int32_t> to_max_tokens(std::int64_t max_tokens);

}  // namespace notso::services
