#include "ml/quant/bf16.hpp"

#include "ml/quant/block_dot.hpp"
#include "ml/quant/half.hpp"

namespace notso::ml::quant {
namespace {

void decode_block(const BlockBF16& block, float* out) noexcept { *out = bf16_to_f32(block.bits); }

}  // namespace

void decode_bf16(const std::byte* row, float* out, std::size_t n) noexcept {
    decode_blocks<BlockBF16, BlockBF16::kElements, decode_block>(row, out, n);
}

float dot_bf16(const std::byte* row, const float* x, std::size_t n) noexcept {
    return dot_blocks<BlockBF16, BlockBF16::kElements, decode_block>(row, x, n);
}

}  // namespace notso::ml::quant
