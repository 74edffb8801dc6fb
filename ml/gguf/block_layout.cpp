// Geometry of every block type that a GGUF file may name: one row per type, nothing else knows
// these numbers.
#include <array>
#include <optional>
#include <utility>

#include "ml/gguf/file.hpp"

namespace notso::ml::gguf {
namespace {

struct Row {
    TensorType type;
    BlockLayout layout;
};

using enum TensorType;
constexpr std::array kRows = {
    Row{kF32, {"F32", 1, 4}},
    Row{kF16, {"F16", 1, 2}},
    Row{kQ4_0, {"Q4_0", 32, 18}},
    Row{kQ4_1, {"Q4_1", 32, 20}},
    Row{kQ5_0, {"Q5_0", 32, 22}},
    Row{kQ5_1, {"Q5_1", 32, 24}},
    Row{kQ8_0, {"Q8_0", 32, 34}},
    Row{kQ8_1, {"Q8_1", 32, 36}},
    Row{kQ2_K, {"Q2_K", 256, 84}},
    Row{kQ3_K, {"Q3_K", 256, 110}},
    Row{kQ4_K, {"Q4_K", 256, 144}},
    Row{kQ5_K, {"Q5_K", 256, 176}},
    Row{kQ6_K, {"Q6_K", 256, 210}},
    Row{kQ8_K, {"Q8_K", 256, 292}},
    Row{kIQ2_XXS, {"IQ2_XXS", 256, 66}},
    Row{kIQ2_XS, {"IQ2_XS", 256, 74}},
    Row{kIQ3_XXS, {"IQ3_XXS", 256, 98}},
    Row{kIQ1_S, {"IQ1_S", 256, 50}},
    Row{kIQ4_NL, {"IQ4_NL", 32, 18}},
    Row{kIQ3_S, {"IQ3_S", 256, 110}},
    Row{kIQ2_S, {"IQ2_S", 256, 82}},
    Row{kIQ4_XS, {"IQ4_XS", 256, 136}},
    Row{kI8, {"I8", 1, 1}},
    Row{kI16, {"I16", 1, 2}},
    Row{kI32, {"I32", 1, 4}},
    Row{kI64, {"I64", 1, 8}},
    Row{kF64, {"F64", 1, 8}},
    Row{kIQ1_M, {"IQ1_M", 256, 56}},
    Row{kBF16, {"BF16", 1, 2}},
    Row{kTQ1_0, {"TQ1_0", 256, 54}},
    Row{kTQ2_0, {"TQ2_0", 256, 66}},
    Row{kMXFP4, {"MXFP4", 32, 17}},
};

}  // namespace

std::optional<BlockLayout> block_layout(TensorType type) noexcept {
    for (const Row& row : kRows) {
        if (row.type == type) return row.layout;
    }
    return std::nullopt;
}

}  // namespace notso::ml::gguf
