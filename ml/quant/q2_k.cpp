#include "ml/quant/q2_k.hpp"

#include "ml/quant/block_dot.hpp"
#include "ml/quant/half.hpp"

namespace notso::ml::quant {
namespace {

void decode_block(const BlockQ2_K& block, float* out) noexcept {
    const float d = f16_to_f32(block.d);
    const float dmin = f16_to_f32(block.dmin);
    for (int i = 0; i < 256; ++i) {
        const int group = i / 16;
        const int q = (block.pairs[32 * (i / 128) + i % 32] >> (2 * (i / 32 % 4))) & 0x03;
        const float scale = d * static_cast<float>(block.packed[group] & 0x0F);
        const float min = dmin * static_cast<float>(block.packed[group] >> 4);
        out[i] = scale * static_cast<float>(q) - min;
    }
}

}  // namespace

void decode_q2_k(const std::byte* row, float* out, std::size_t n) noexcept {
    decode_blocks<BlockQ2_K, BlockQ2_K::kElements, decode_block>(row, out, n);
}

float dot_q2_k(const std::byte* row, const float* x, std::size_t n) noexcept {
    return dot_blocks<BlockQ2_K, BlockQ2_K::kElements, decode_block>(row, x, n);
}

}  // namespace notso::ml::quant
