// IQ4_NL: 32 weights, w = d * kIq4Values[q]: sixteen unevenly spaced levels, finer near zero. Byte
// i holds weight i (low nibble) and i + 16 (high). The struct is the file's layout, byte for byte;
// the functions are the plain twins of the fast kernels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace notso::ml::quant {

/// The levels of IQ4_NL and IQ4_XS, part of the format.
inline constexpr std::int8_t kIq4Values[16] = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

struct BlockIQ4_NL {
    static constexpr std::size_t kElements = 32;
    std::uint16_t d;  ///< Scale, f16.
    std::uint8_t nibbles[16];
};
static_assert(sizeof(BlockIQ4_NL) == 18);

/// @param row  `n` weights; n is a multiple of BlockIQ4_NL::kElements. @param out  [n] f32.
void decode_iq4_nl(const std::byte* row, float* out, std::size_t n) noexcept;

/// Dot product of `n` weights with x [n].
float dot_iq4_nl(const std::byte* row, const float* x, std::size_t n) noexcept;

}  // namespace notso::ml::quant
