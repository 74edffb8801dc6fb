#include "ml/quant/type_table.hpp"

#include "ml/quant/bf16.hpp"
#include "ml/quant/encode/encoders.hpp"
#include "ml/quant/f16.hpp"
#include "ml/quant/f32.hpp"
#include "ml/quant/q4_0.hpp"
#include "ml/quant/q4_1.hpp"
#include "ml/quant/q4_k.hpp"
#include "ml/quant/q6_k.hpp"
#include "ml/quant/q8_0.hpp"

namespace notso::ml::quant {
namespace {

using enum gguf::TensorType;

template <class Block>
constexpr TypeTraits row(gguf::TensorType type,
                         std::string_view name,
                         DecodeRow decode,
                         DotRow dot,
                         EncodeRow encode = nullptr) {
    return {type, name, Block::kElements, sizeof(Block), decode, dot, encode};
}

constexpr TypeTraits kTypes[] = {
    row<BlockF32>(kF32, "F32", decode_f32, dot_f32),
    row<BlockF16>(kF16, "F16", decode_f16, dot_f16, encode_f16),
    row<BlockBF16>(kBF16, "BF16", decode_bf16, dot_bf16),
    row<BlockQ4_0>(kQ4_0, "Q4_0", decode_q4_0, dot_q4_0, encode_q4_0),
    row<BlockQ4_1>(kQ4_1, "Q4_1", decode_q4_1, dot_q4_1),
    row<BlockQ8_0>(kQ8_0, "Q8_0", decode_q8_0, dot_q8_0, encode_q8_0),
    row<BlockQ4_K>(kQ4_K, "Q4_K", decode_q4_k, dot_q4_k, encode_q4_k),
    row<BlockQ6_K>(kQ6_K, "Q6_K", decode_q6_k, dot_q6_k, encode_q6_k),
};

}  // namespace

const TypeTraits* find_type(gguf::TensorType type) noexcept {
    for (const TypeTraits& traits : kTypes) {
        if (traits.type == type) return &traits;
    }
    return nullptr;
}

std::span<const TypeTraits> runnable_types() noexcept { return kTypes; }

std::string runnable_type_names() {
    std::string names;
    for (const TypeTraits& traits : kTypes) {
        if (!names.empty()) names += ", ";
        names += traits.name;
    }
    return names;
}

}  // namespace notso::ml::quant
