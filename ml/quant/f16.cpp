#include "ml/quant/f16.hpp"

#include "ml/quant/block_dot.hpp"
#include "ml/quant/half.hpp"

namespace notso::ml::quant {
namespace {

void decode_block(const BlockF16& block, float* out) noexcept { *out = f16_to_f32(block.bits); }

}  // namespace

void decode_f16(const std::byte* row, float* out, std::size_t n) noexcept {
    decode_blocks<BlockF16, BlockF16::kElements, decode_block>(row, out, n);
}

float dot_f16(const std::byte* row, const float* x, std::size_t n) noexcept {
    return dot_blocks<BlockF16, BlockF16::kElements, decode_block>(row, x, n);
}

}  // namespace notso::ml::quant
