// The plain dot product and row decoder that every block type gets from its block decoder.
// Slow and obvious on purpose: the fast kernels are tested against it.
#pragma once

#include <cstddef>

namespace notso::ml::quant {

/// Decodes a row of `n` weights block by block. n is a multiple of kElements.
template <class Block, std::size_t kElements, void (*decode_block)(const Block&, float*) noexcept>
void decode_blocks(const std::byte* row, float* out, std::size_t n) noexcept {
    const auto* blocks = reinterpret_cast<const Block*>(row);
    for (std::size_t i = 0; i < n / kElements; ++i) decode_block(blocks[i], out + i * kElements);
}

/// Dot product of a row with `x` [n], summed in double so that only the weights' own rounding is in
/// it.
template <class Block, std::size_t kElements, void (*decode_block)(const Block&, float*) noexcept>
float dot_blocks(const std::byte* row, const float* x, std::size_t n) noexcept {
    const auto* blocks = reinterpret_cast<const Block*>(row);
    double sum = 0;
    for (std::size_t i = 0; i < n / kElements; ++i) {
        float weights[kElements];
        decode_block(blocks[i], weights);
        for (std::size_t j = 0; j < kElements; ++j) {
            sum += static_cast<double>(weights[j]) * static_cast<double>(x[i * kElements + j]);
        }
    }
    return static_cast<float>(sum);
}

}  // namespace notso::ml::quant
