// Q8_0: 32 weights, w = d * q.
// The struct is the file's layout, byte for byte; the functions are the plain twins of the fast
// kernels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace notso::ml::quant {

struct BlockQ8_0 {
    static constexpr std::size_t kElements = 32;
    std::uint16_t d;  ///< Scale, f16.
    std::int8_t values[32];
};
static_assert(sizeof(BlockQ8_0) == 34);

/// @param row  `n` weights; n is a multiple of BlockQ8_0::kElements. @param out  [n] f32.
void decode_q8_0(const std::byte* row, float* out, std::size_t n) noexcept;

/// Dot product of `n` weights with x [n].
float dot_q8_0(const std::byte* row, const float* x, std::size_t n) noexcept;

}  // namespace notso::ml::quant
