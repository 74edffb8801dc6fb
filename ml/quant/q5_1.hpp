// Q5_1: 32 weights, w = d * q + m. Byte i holds the low four bits of weight i (low nibble) and
// i + 16 (high); bit i of the four bytes before them is the fifth bit of weight i.
// The struct is the file's layout, byte for byte; the functions are the plain twins of the fast
// kernels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace notso::ml::quant {

struct BlockQ5_1 {
    static constexpr std::size_t kElements = 32;
    std::uint16_t d;         ///< Scale, f16.
    std::uint16_t m;         ///< Minimum, f16.
    std::uint8_t fifths[4];  ///< One bit per weight, the lowest bit of the first byte first.
    std::uint8_t nibbles[16];
};
static_assert(sizeof(BlockQ5_1) == 24);

/// @param row  `n` weights; n is a multiple of BlockQ5_1::kElements. @param out  [n] f32.
void decode_q5_1(const std::byte* row, float* out, std::size_t n) noexcept;

/// Dot product of `n` weights with x [n].
float dot_q5_1(const std::byte* row, const float* x, std::size_t n) noexcept;

}  // namespace notso::ml::quant
