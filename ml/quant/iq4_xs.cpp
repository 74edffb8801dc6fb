#include "ml/quant/iq4_xs.hpp"

#include "ml/quant/block_dot.hpp"
#include "ml/quant/half.hpp"
#include "ml/quant/iq4_nl.hpp"

namespace notso::ml::quant {
namespace {

void decode_block(const BlockIQ4_XS& block, float* out) noexcept {
    const float d = f16_to_f32(block.d);
    for (int i = 0; i < 256; ++i) {
        const int group = i / 32;
        const int low = (block.scales_low[group / 2] >> (4 * (group % 2))) & 0x0F;
        const int top = (block.scales_high >> (2 * group)) & 0x03;
        const float scale = d * static_cast<float>((low | (top << 4)) - 32);
        const int q = (block.nibbles[16 * group + i % 16] >> (4 * (i % 32 / 16))) & 0x0F;
        out[i] = scale * static_cast<float>(kIq4Values[q]);
    }
}

}  // namespace

void decode_iq4_xs(const std::byte* row, float* out, std::size_t n) noexcept {
    decode_blocks<BlockIQ4_XS, BlockIQ4_XS::kElements, decode_block>(row, out, n);
}

float dot_iq4_xs(const std::byte* row, const float* x, std::size_t n) noexcept {
    return dot_blocks<BlockIQ4_XS, BlockIQ4_XS::kElements, decode_block>(row, x, n);
}

}  // namespace notso::ml::quant
