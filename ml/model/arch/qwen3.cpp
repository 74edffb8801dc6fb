#include "ml/model/arch/qwen3.hpp"

namespace notso::ml {
namespace {

constexpr Architecture kQwen3 = {
    .name = "qwen3",
    .stored_pairs = RopePairs::kHalfSplit,
    .qkv_bias = Presence::kMaybe,
    .output_bias = Presence::kMaybe,
    .ffn_bias = Presence::kNever,
    .qk_norm = Presence::kAlways,
    .rotates = rotates_always,
};

}  // namespace

const Architecture& qwen3_architecture() noexcept { return kQwen3; }

}  // namespace notso::ml
