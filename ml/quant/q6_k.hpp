// Q6_K: 256 weights in 16 groups of 16, w = d * scale * (q - 32), with int8 scales. Each half of
// 128 weights keeps low nibbles in 64 bytes and the upper two bits in 32 bytes. The struct is the
// file's layout, byte for byte; the functions are the plain twins of the fast kernels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace notso::ml::quant {

struct BlockQ6_K {
    static constexpr std::size_t kElements = 256;
    std::uint8_t low[128];
    std::uint8_t high[64];
    std::int8_t scales[16];
    std::uint16_t d;  ///< Scale of the scales, f16.
};
static_assert(sizeof(BlockQ6_K) == 210);

/// @param row  `n` weights; n is a multiple of BlockQ6_K::kElements. @param out  [n] f32.
void decode_q6_k(const std::byte* row, float* out, std::size_t n) noexcept;

/// Dot product of `n` weights with x [n].
float dot_q6_k(const std::byte* row, const float* x, std::size_t n) noexcept;

}  // namespace notso::ml::quant
