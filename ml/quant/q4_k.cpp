#include "ml/quant/q4_k.hpp"

#include "ml/quant/block_dot.hpp"
#include "ml/quant/half.hpp"

namespace notso::ml::quant {
namespace {

void decode_block(const BlockQ4_K& block, float* out) noexcept {
    std::uint8_t scales[8];
    std::uint8_t mins[8];
    for (int i = 0; i < 4; ++i) {
        // Bytes 0..3 and 4..7 keep the first four scales and mins; their top two bits belong to the
        // last four, whose low nibbles sit in bytes 8..11.
        scales[i] = block.packed[i] & 0x3F;
        mins[i] = block.packed[i + 4] & 0x3F;
        scales[i + 4] =
            static_cast<std::uint8_t>((block.packed[i + 8] & 0x0F) | ((block.packed[i] >> 6) << 4));
        mins[i + 4] = static_cast<std::uint8_t>((block.packed[i + 8] >> 4) |
                                                ((block.packed[i + 4] >> 6) << 4));
    }
    const float d = f16_to_f32(block.d);
    const float dmin = f16_to_f32(block.dmin);
    for (int group = 0; group < 8; ++group) {
        const float scale = d * static_cast<float>(scales[group]);
        const float min = dmin * static_cast<float>(mins[group]);
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
