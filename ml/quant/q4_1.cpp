#include "ml/quant/q4_1.hpp"

#include "ml/quant/block_dot.hpp"
#include "ml/quant/half.hpp"

namespace notso::ml::quant {
namespace {

void decode_block(const BlockQ4_1& block, float* out) noexcept {
    const float d = f16_to_f32(block.d);
    const float m = f16_to_f32(block.m);
    for (int i = 0; i < 16; ++i) {
        out[i] = d * static_cast<float>(block.nibbles[i] & 0x0F) + m;
        out[i + 16] = d * static_cast<float>(block.nibbles[i] >> 4) + m;
    }
}

}  // namespace

void decode_q4_1(const std::byte* row, float* out, std::size_t n) noexcept {
    decode_blocks<BlockQ4_1, BlockQ4_1::kElements, decode_block>(row, out, n);
}

float dot_q4_1(const std::byte* row, const float* x, std::size_t n) noexcept {
    return dot_blocks<BlockQ4_1, BlockQ4_1::kElements, decode_block>(row, x, n);
}

}  // namespace notso::ml::quant
