// Q5_K: 256 weights in 8 groups of 32, w = d * scale * q - dmin * min, with the 6-bit scales and
// mins of Q4_K. Each 32 bytes of nibbles hold two groups, as in Q4_K; bit k of the 32 bytes of
// fifths is the fifth bit of the weights of group k. The struct is the file's layout, byte for
// byte; the functions are the plain twins of the fast kernels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace notso::ml::quant {

struct BlockQ5_K {
    static constexpr std::size_t kElements = 256;
    std::uint16_t d;          ///< Scale of the scales, f16.
    std::uint16_t dmin;       ///< Scale of the mins, f16.
    std::uint8_t packed[12];  ///< Eight 6-bit scales and eight 6-bit mins.
    std::uint8_t fifths[32];
    std::uint8_t nibbles[128];
};
static_assert(sizeof(BlockQ5_K) == 176);

/// @param row  `n` weights; n is a multiple of BlockQ5_K::kElements. @param out  [n] f32.
void decode_q5_k(const std::byte* row, float* out, std::size_t n) noexcept;

/// Dot product of `n` weights with x [n].
float dot_q5_k(const std::byte* row, const float* x, std::size_t n) noexcept;

}  // namespace notso::ml::quant
