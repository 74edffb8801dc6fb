#include "ml/quant/q4_k.hpp"

#include "ml/quant/block_dot.hpp"
#include "ml/quant/half.hpp"
#include "ml/quant/k_scales.hpp"

namespace notso::ml::quant {
namespace {

void decode_block(const BlockQ4_K& block, float* out) noexcept {
    const ScalesAndMins packed = unpack_scales_and_mins(block.packed);
    const float d = f16_to_f32(block.d);
    const float dmin = f16_to_f32(block.dmin);
    for (int group = 0; group < 8; ++group) {
        const float scale = d * static_cast<float>(packed.scales[group]);
        const float min = dmin * static_cast<float>(packed.mins[group]);
        const std::uint8_t* nibbles = block.nibbles + 32 * (group / 2);
        const int shift = 4 * (group % 2);
        for (int i = 0; i < 32; ++i) {
            out[32 * group + i] = scale * static_cast<float>((nibbles[i] >> shift) & 0x0F) - min;
        }
    }
}

}  // namespace

void decode_q4_k(const std::byte* row, float* out, std::size_t n) noexcept {
    decode_blocks<BlockQ4_K, BlockQ4_K::kElements, decode_block>(row, out, n);
}

float dot_q4_k(const std::byte* row, const float* x, std::size_t n) noexcept {
    return dot_blocks<BlockQ4_K, BlockQ4_K::kElements, decode_block>(row, x, n);
}

}  // namespace notso::ml::quant
