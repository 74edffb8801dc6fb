#include "ml/quant/q4_0.hpp"

#include "ml/quant/block_dot.hpp"
#include "ml/quant/half.hpp"

namespace notso::ml::quant {
namespace {

void decode_block(const BlockQ4_0& block, float* out) noexcept {
    const float d = f16_to_f32(block.d);
    for (int i = 0; i < 16; ++i) {
        out[i] = d * static_cast<float>((block.nibbles[i] & 0x0F) - 8);
        out[i + 16] = d * static_cast<float>((block.nibbles[i] >> 4) - 8);
    }
}

}  // namespace

void decode_q4_0(const std::byte* row, float* out, std::size_t n) noexcept {
    decode_blocks<BlockQ4_0, BlockQ4_0::kElements, decode_block>(row, out, n);
}

float dot_q4_0(const std::byte* row, const float* x, std::size_t n) noexcept {
    return dot_blocks<BlockQ4_0, BlockQ4_0::kElements, decode_block>(row, x, n);
}

}  // namespace notso::ml::quant
