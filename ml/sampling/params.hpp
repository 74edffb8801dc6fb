// Sampling parameters, resolved: every field has a value.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "ml/tokenizer/token_id.hpp"

namespace notso::ml {

/// Applied in this order (each step works on what the one before left):
///   1. logit_bias is added.
///   2. Penalties, for tokens among the last `penalty_window` generated ones (the prompt does not count): repeat
///      (once per token), then presence, then frequency times its count.
///   3. temperature 0: the highest logit wins, the lowest id on a tie; nothing below happens.
///   4. top_k: the k highest logits stay; ties are decided for the lowest id.
///   5. Softmax at temperature 1 over what stayed. top_p: the shortest list of most likely tokens whose sum reaches
///      top_p. min_p: of these, tokens at least min_p times as likely as the most likely one. One always stays.
///   6. Softmax at `temperature` over what stayed, and one draw.
/// A NaN logit never wins, +inf counts as the highest finite float.
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
