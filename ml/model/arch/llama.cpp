#include "ml/model/arch/llama.hpp"

namespace notso::ml {
namespace {

constexpr Architecture kLlama = {
    .name = "llama",
    .stored_pairs = RopePairs::kInterleaved,
    .qkv_bias = Presence::kMaybe,
    .output_bias = Presence::kMaybe,
    .ffn_bias = Presence::kMaybe,
    .qk_norm = Presence::kNever,
    .rotates = rotates_always,
};

}  // namespace

const Architecture& llama_architecture() noexcept { return kLlama; }

}  // namespace notso::ml
