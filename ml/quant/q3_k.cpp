#include "ml/quant/q3_k.hpp"

#include "ml/quant/block_dot.hpp"
#include "ml/quant/half.hpp"

namespace notso::ml::quant {
namespace {

void decode_block(const BlockQ3_K& block, float* out) noexcept {
    const float d = f16_to_f32(block.d);
    for (int i = 0; i < 256; ++i) {
        const int group = i / 16;
        const int low = (block.packed[group % 8] >> (4 * (group / 8))) & 0x0F;
        const int top = (block.packed[8 + group % 4] >> (2 * (group / 4))) & 0x03;
        const float scale = d * static_cast<float>((low | (top << 4)) - 32);
        const int pair = (block.pairs[32 * (i / 128) + i % 32] >> (2 * (i / 32 % 4))) & 0x03;
        const bool third = ((block.thirds[i % 32] >> (i / 32)) & 1) != 0;
        out[i] = scale * static_cast<float>(third ? pair : pair - 4);
    }
}

}  // namespace

void decode_q3_k(const std::byte* row, float* out, std::size_t n) noexcept {
    decode_blocks<BlockQ3_K, BlockQ3_K::kElements, decode_block>(row, out, n);
}

float dot_q3_k(const std::byte* row, const float* x, std::size_t n) noexcept {
    return dot_blocks<BlockQ3_K, BlockQ3_K::kElements, decode_block>(row, x, n);
}

}  // namespace notso::ml::quant
