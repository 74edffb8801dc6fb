// Q3_K: 256 weights in 16 groups of 16, w = d * (scale - 32) * q, with 6-bit scales and q in -4..3.
// Each 32 bytes of bit pairs hold 128 weights: the lowest pairs the first 32, and so on. Bit k of
// the 32 bytes of thirds belongs to weights 32 k to 32 k + 31; where it is not set, 4 is taken off.
// The struct is the file's layout, byte for byte; the functions are the plain twins of the fast
// kernels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace notso::ml::quant {

struct BlockQ3_K {
    static constexpr std::size_t kElements = 256;
    std::uint8_t thirds[32];
    std::uint8_t pairs[64];
    std::uint8_t
        packed[12];   ///< Low nibbles of scales 0-7 and 8-15 share eight bytes; then top bit pairs.
    std::uint16_t d;  ///< Scale of the scales, f16.
};
static_assert(sizeof(BlockQ3_K) == 110);

/// @param row  `n` weights; n is a multiple of BlockQ3_K::kElements. @param out  [n] f32.
void decode_q3_k(const std::byte* row, float* out, std::size_t n) noexcept;

/// Dot product of `n` weights with x [n].
float dot_q3_k(const std::byte* row, const float* x, std::size_t n) noexcept;

}  // namespace notso::ml::quant
