// BF16: the upper half of an f32, one weight per 2 bytes.
// The struct is the file's layout, byte for byte; the functions are the plain twins of the fast
// kernels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace notso::ml::quant {

struct BlockBF16 {
    static constexpr std::size_t kElements = 1;
    std::uint16_t bits;
};
static_assert(sizeof(BlockBF16) == 2);

/// @param row  `n` weights; n is a multiple of BlockBF16::kElements. @param out  [n] f32.
void decode_bf16(const std::byte* row, float* out, std::size_t n) noexcept;

/// Dot product of `n` weights with x [n].
float dot_bf16(const std::byte* row, const float* x, std::size_t n) noexcept;

}  // namespace notso::ml::quant
