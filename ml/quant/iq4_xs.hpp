// IQ4_XS: 256 weights in 8 groups of 32, w = d * (scale - 32) * kIq4Values[q], with 6-bit scales.
// Each group has sixteen bytes: byte i holds weight i (low nibble) and i + 16 (high). The struct is
// the file's layout, byte for byte; the functions are the plain twins of the fast kernels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace notso::ml::quant {

struct BlockIQ4_XS {
    static constexpr std::size_t kElements = 256;
    std::uint16_t d;             ///< Scale of the scales, f16.
    std::uint16_t scales_high;   ///< Top two bits of each scale, the first in the lowest bits.
    std::uint8_t scales_low[4];  ///< Low four bits of each scale, the first in the lowest bits.
    std::uint8_t nibbles[128];
};
static_assert(sizeof(BlockIQ4_XS) == 136);

/// @param row  `n` weights; n is a multiple of BlockIQ4_XS::kElements. @param out  [n] f32.
void decode_iq4_xs(const std::byte* row, float* out, std::size_t n) noexcept;

/// Dot product of `n` weights with x [n].
float dot_iq4_xs(const std::byte* row, const float* x, std::size_t n) noexcept;

}  // namespace notso::ml::quant
