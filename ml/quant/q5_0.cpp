#include "ml/quant/q5_0.hpp"

#include "ml/quant/block_dot.hpp"
#include "ml/quant/half.hpp"

namespace notso::ml::quant {
namespace {

void decode_block(const BlockQ5_0& block, float* out) noexcept {
    const float d = f16_to_f32(block.d);
    for (int i = 0; i < 32; ++i) {
        const int low = (block.nibbles[i % 16] >> (4 * (i / 16))) & 0x0F;
        const int fifth = (block.fifths[i / 8] >> (i % 8)) & 1;
        out[i] = d * static_cast<float>((low | (fifth << 4)) - 16);
    }
}

}  // namespace

void decode_q5_0(const std::byte* row, float* out, std::size_t n) noexcept {
    decode_blocks<BlockQ5_0, BlockQ5_0::kElements, decode_block>(row, out, n);
}

float dot_q5_0(const std::byte* row, const float* x, std::size_t n) noexcept {
    return dot_blocks<BlockQ5_0, BlockQ5_0::kElements, decode_block>(row, x, n);
}

}  // namespace notso::ml::quant
