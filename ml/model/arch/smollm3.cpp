#include "ml/model/arch/smollm3.hpp"

namespace notso::ml {
namespace {

constexpr Architecture kSmolLm3 = {
    .name = "smollm3",
    .stored_pairs = RopePairs::kInterleaved,
    .qkv_bias = Presence::kMaybe,
    .output_bias = Presence::kMaybe,
    .ffn_bias = Presence::kMaybe,
    .qk_norm = Presence::kNever,
    // No key of the file says so: layers 3, 7, 11, … counted from 0.
    .rotates = [](std::int32_t layer) noexcept { return (layer + 1) % 4 != 0; },
};

}  // namespace

const Architecture& smollm3_architecture() noexcept { return kSmolLm3; }

}  // namespace notso::ml
