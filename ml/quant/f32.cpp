#include "ml/quant/f32.hpp"

#include "ml/quant/block_dot.hpp"

namespace notso::ml::quant {
namespace {

void decode_block(const BlockF32& block, float* out) noexcept { *out = block.value; }

}  // namespace

void decode_f32(const std::byte* row, float* out, std::size_t n) noexcept {
    decode_blocks<BlockF32, BlockF32::kElements, decode_block>(row, out, n);
}

float dot_f32(const std::byte* row, const float* x, std::size_t n) noexcept {
    return dot_blocks<BlockF32, BlockF32::kElements, decode_block>(row, x, n);
}

}  // namespace notso::ml::quant
