#include "ml/model/arch/qwen2.hpp"

namespace notso::ml {
namespace {

constexpr Architecture kQwen2 = {
    .name = "qwen2",
    .stored_pairs = RopePairs::kHalfSplit,
    .qkv_bias = Presence::kAlways,
    .output_bias = Presence::kNever,
    .ffn_bias = Presence::kNever,
    .qk_norm = Presence::kNever,
    .rotates = rotates_always,
};

}  // namespace

const Architecture& qwen2_architecture() noexcept { return kQwen2; }

}  // namespace notso::ml
