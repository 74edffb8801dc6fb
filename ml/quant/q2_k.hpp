// Q2_K: 256 weights in 16 groups of 16, w = d * scale * q - dmin * min, with 4-bit scales and mins.
// Each 32 bytes of bit pairs hold 128 weights: the lowest pairs the first 32, and so on.
// The struct is the file's layout, byte for byte; the functions are the plain twins of the fast
// kernels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace notso::ml::quant {

struct BlockQ2_K {
    static constexpr std::size_t kElements = 256;
    std::uint8_t packed[16];  ///< Scale (low nibble) and min (high nibble) of each group.
    std::uint8_t pairs[64];
    std::uint16_t d;     ///< Scale of the scales, f16.
    std::uint16_t dmin;  ///< Scale of the mins, f16.
};
static_assert(sizeof(BlockQ2_K) == 84);

/// @param row  `n` weights; n is a multiple of BlockQ2_K::kElements. @param out  [n] f32.
void decode_q2_k(const std::byte* row, float* out, std::size_t n) noexcept;

/// Dot product of `n` weights with x [n].
float dot_q2_k(const std::byte* row, const float* x, std::size_t n) noexcept;

}  // namespace notso::ml::quant
