// The fit behind Q4_K and Q5_K: 256 weights in 8 groups of 32, w = d * scale * q - dmin * min,
// where scale and min are 6-bit numbers of the group, d and dmin f16 numbers of the block.
#pragma once

#include <cstdint>

namespace notso::ml::quant::encode {

struct SuperBlock {
    std::uint16_t d = 0;     ///< f16
    std::uint16_t dmin = 0;  ///< f16
    std::uint8_t scales[8] = {};
    std::uint8_t mins[8] = {};
    std::uint8_t levels[256] = {};
};

/// @param weights  [256], finite. @param top  the largest level: 15 or 31.
/// @cost about 40 passes over the weights. Deterministic; thread-safe.
SuperBlock fit_super_block(const float* weights, int top) noexcept;

/// Packs the scales and mins as both types store them. @param out  [12].
void pack_scales(const SuperBlock& block, std::uint8_t* out) noexcept;

/// Packs the low four bits of all levels as both types store them. @param out  [128].
void store_nibbles(const SuperBlock& block, std::uint8_t* out) noexcept;

}  // namespace notso::ml::quant::encode
