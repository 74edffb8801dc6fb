// Passes over all logits of a vocabulary, sixteen numbers at a time. Written with the compiler's
// vectors and without fused operations, so that every machine gets the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace notso::ml {

struct Highest {
    std::size_t index = 0;  ///< The first of equal ones.
    float value = 0;        ///< -inf where none is greater: all are -inf or NaN.
};

/// The greatest logit; NaN is none.
/// @cost O(n), some 0.3 cycles each
Highest find_highest(std::span<const float> logits) noexcept;

/// Σ e^(logit − highest), where a logit more than 87 below counts as nothing, like NaN. Relative
/// error below 1e-6.
/// @param highest  As find_highest() found it, finite.
/// @cost O(n), 1 to 4 cycles each
double sum_of_exp(std::span<const float> logits, float highest) noexcept;

/// The indices of the logits that are `least` or more, ascending.
/// @param found  Room for as many as there are logits.
/// @return How many there are.
/// @cost O(n), some 0.2 cycles each, and a few for each that is found
std::size_t find_at_least(std::span<const float> logits,
                          float least,
                          std::span<std::uint32_t> found) noexcept;

/// Copies logits, with −inf for NaN and the greatest finite number for more.
/// @param out  [logits.size()]
void copy_usable(std::span<const float> logits, std::span<float> out) noexcept;

}  // namespace notso::ml
