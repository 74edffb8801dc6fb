#include "ml/quant/q6_k.hpp"

#include "ml/quant/block_dot.hpp"
#include "ml/quant/half.hpp"

namespace notso::ml::quant {
namespace {

void decode_block(const BlockQ6_K& block, float* out) noexcept {
    const float d = f16_to_f32(block.d);
    for (int i = 0; i < 256; ++i) {
        const int half = i / 128;
        const int quarter =
            (i / 32) % 4;  // quarters 0, 1: low nibbles; 2, 3: high nibbles of the same bytes
        const int low = block.low[64 * half + 32 * (quarter % 2) + i % 32] >> (4 * (quarter / 2));
        const int high = block.high[32 * half + i % 32] >> (2 * quarter);
        const int q = ((low & 0x0F) | ((high & 0x03) << 4)) - 32;
        out[i] = d * static_cast<float>(block.scales[i / 16]) * static_cast<float>(q);
    }
}

}  // namespace

void decode_q6_k(const std::byte* row, float* out, std::size_t n) noexcept {
    decode_blocks<BlockQ6_K, BlockQ6_K::kElements, decode_block>(row, out, n);
}

float dot_q6_k(const std::byte* row, const float* x, std::size_t n) noexcept {
    return dot_blocks<BlockQ6_K, BlockQ6_K::kElements, decode_block>(row, x, n);
}

}  // namespace notso::ml::quant
