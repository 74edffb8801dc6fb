// F32: one weight per 4 bytes.
// The struct is the file's layout, byte for byte; the functions are the plain twins of the fast
// kernels.
#pragma once

#include <cstddef>
#include <cstdint>

namespace notso::ml::quant {

struct BlockF32 {
    static constexpr std::size_t kElements = 1;
    float value;
};
static_assert(sizeof(BlockF32) == 4);

/// @param row  `n` weights; n is a multiple of BlockF32::kElements. @param out  [n] f32.
void decode_f32(const std::byte* row, float* out, std::size_t n) noexcept;

/// Dot product of `n` weights with x [n].
float dot_f32(const std::byte* row, const float* x, std::size_t n) noexcept;

}  // namespace notso::ml::quant
