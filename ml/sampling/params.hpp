// Sampling parameters, resolved: every field has a value.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "ml/tokenizer/token_id.hpp"

namespace notso::ml {

/// Applied in this order: logit bias, penalties, top-k, temperature-free softmax, top-p, min-p, temperature, draw.
struct SamplingParams {
    float temperature = 0.6F;        ///< 0 = greedy. 0..10.
    std::int32_t top_k = 0;          ///< 0 = off.
    float top_p = 0.95F;             ///< 1 = off. (0, 1].
    float min_p = 0.0F;              ///< 0 = off. [0, 1].
    float repeat_penalty = 1.0F;     ///< 1 = off. (0, 10]. Divides positive, multiplies negative logits.
    float presence_penalty = 0.0F;   ///< [-2, 2].
    float frequency_penalty = 0.0F;  ///< [-2, 2].
    std::int32_t penalty_window = 256;  ///< Last tokens that the penalties look at.
    std::uint64_t seed = 0;          ///< Same seed, same prompt: same tokens.
    std::vector<std::pair<TokenId, float>> logit_bias = {};
};

/// Checks every field against its range. @errors kInvalidArgument naming the field and the range.
Result<> validate(const SamplingParams& params);

}  // namespace notso::ml
