// Q4_K: 256 weights in 8 groups of 32, w = d * scale * q - dmin * min, with 6-bit scales and mins.
// Each 32 bytes of nibbles hold two groups: low nibbles the first, high nibbles the second.
// The struct is the file's layout, byte for byte; the functions are the plain twins of the fast
// kernels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace notso::ml::quant {

struct BlockQ4_K {
    static constexpr std::size_t kElements = 256;
    std::uint16_t d;          ///< Scale of the scales, f16.
    std::uint16_t dmin;       ///< Scale of the mins, f16.
    std::uint8_t packed[12];  ///< Eight 6-bit scales and eight 6-bit mins.
    std::uint8_t nibbles[128];
};
static_assert(sizeof(BlockQ4_K) == 144);

/// @param row  `n` weights; n is a multiple of BlockQ4_K::kElements. @param out  [n] f32.
void decode_q4_k(const std::byte* row, float* out, std::size_t n) noexcept;

/// Dot product of `n` weights with x [n].
float dot_q4_k(const std::byte* row, const float* x, std::size_t n) noexcept;

}  // namespace notso::ml::quant
