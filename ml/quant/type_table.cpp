#include "ml/quant/type_table.hpp"

#include "ml/quant/bf16.hpp"
#include "ml/quant/encode/encoders.hpp"
#include "ml/quant/f16.hpp"
#include "ml/quant/f32.hpp"
#include "ml/quant/iq4_nl.hpp"
#include "ml/quant/iq4_xs.hpp"
#include "ml/quant/q2_k.hpp"
#include "ml/quant/q3_k.hpp"
#include "ml/quant/q4_0.hpp"
#include "ml/quant/q4_1.hpp"
#include "ml/quant/q4_k.hpp"
#include "ml/quant/q5_0.hpp"
#include "ml/quant/q5_1.hpp"
#include "ml/quant/q5_k.hpp"
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
    row<BlockQ5_0>(kQ5_0, "Q5_0", decode_q5_0, dot_q5_0, encode_q5_0),
    row<BlockQ5_1>(kQ5_1, "Q5_1", decode_q5_1, dot_q5_1, encode_q5_1),
    row<BlockQ8_0>(kQ8_0, "Q8_0", decode_q8_0, dot_q8_0, encode_q8_0),
    row<BlockQ2_K>(kQ2_K, "Q2_K", decode_q2_k, dot_q2_k),
    row<BlockQ3_K>(kQ3_K, "Q3_K", decode_q3_k, dot_q3_k),
    row<BlockQ4_K>(kQ4_K, "Q4_K", decode_q4_k, dot_q4_k, encode_q4_k),
    row<BlockQ5_K>(kQ5_K, "Q5_K", decode_q5_k, dot_q5_k, encode_q5_k),
    row<BlockQ6_K>(kQ6_K, "Q6_K", decode_q6_k, dot_q6_k, encode_q6_k),
    row<BlockIQ4_NL>(kIQ4_NL, "IQ4_NL", decode_iq4_nl, dot_iq4_nl),
    row<BlockIQ4_XS>(kIQ4_XS, "IQ4_XS", decode_iq4_xs, dot_iq4_xs),
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
