// Log probabilities of the distribution that the model gave, before any bias, penalty or
// temperature.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "ml/tokenizer/token_id.hpp"

namespace notso::ml {

struct TokenChances {
    float chosen = 0;                            ///< Natural log, at least kLowestLogprob.
    std::vector<std::pair<TokenId, float>> top;  ///< Most likely first; the lowest id on a tie.
};

/// What stands for the logarithm of zero: a number that JSON can carry.
inline constexpr float kLowestLogprob = -9999.0F;

/// @param logits  [n_vocab] f32; NaN counts as impossible, +inf as the highest finite float.
/// @param n_top   How many of the most likely tokens to list.
/// @cost O(n_vocab * log(n_top)).
TokenChances token_chances(std::span<const float> logits, TokenId chosen, std::size_t n_top);

}  // namespace notso::ml
