#include "ml/quant/iq4_nl.hpp"

#include "ml/quant/block_dot.hpp"
#include "ml/quant/half.hpp"

namespace notso::ml::quant {
namespace {

void decode_block(const BlockIQ4_NL& block, float* out) noexcept {
    const float d = f16_to_f32(block.d);
    for (int i = 0; i < 32; ++i) {
        const int q = (block.nibbles[i % 16] >> (4 * (i / 16))) & 0x0F;
        out[i] = d * static_cast<float>(kIq4Values[q]);
    }
}

}  // namespace

void decode_iq4_nl(const std::byte* row, float* out, std::size_t n) noexcept {
    decode_blocks<BlockIQ4_NL, BlockIQ4_NL::kElements, decode_block>(row, out, n);
}

float dot_iq4_nl(const std::byte* row, const float* x, std::size_t n) noexcept {
    return dot_blocks<BlockIQ4_NL, BlockIQ4_NL::kElements, decode_block>(row, x, n);
}

}  // namespace notso::ml::quant
