// The fits behind the types with 32 weights in a block and f16 factors: Q4_0, Q5_0 (a scale) and
// Q5_1 (a scale and an offset).
#pragma once

#include <cstdint>

namespace notso::ml::quant::encode {

/// w ≈ d * (level - steps). @param weights  [32], finite. @param steps  8 or 16.
/// @param levels  [32], 0 … 2 * steps - 1. @return d, f16. @cost about 20 passes over the weights.
std::uint16_t fit_symmetric_block(const float* weights, int steps, std::uint8_t* levels) noexcept;

struct OffsetBlock {
    std::uint16_t d;       ///< f16
    std::uint16_t offset;  ///< f16
};

/// w ≈ d * level + offset. @param levels  [32], 0 … 31.
OffsetBlock fit_offset_block(const float* weights, std::uint8_t* levels) noexcept;

/// Packs levels 0 … 31 as Q5_0 and Q5_1 store them. @param fifths  [4]. @param nibbles  [16].
void store_five_bits(const std::uint8_t* levels,
                     std::uint8_t* fifths,
                     std::uint8_t* nibbles) noexcept;

}  // namespace notso::ml::quant::encode
