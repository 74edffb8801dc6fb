// Attention by kind of words W (attention_words.hpp), by name. Only declared here, so that tables,
// which run on every CPU, can name it; attention.hpp has the bodies.
#pragma once

#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

template <class S>
struct Numbers;
template <class S>
struct Bf16Pairs;

template <class W>
struct AttentionKernels {
    static void f16(const AttentionArgs& args) noexcept;
    static void f32(const AttentionArgs& args) noexcept;
    static void q8_0(const AttentionArgs& args) noexcept;
};

/// `table` with that attention for the tokens of a precision.
template <class W, Precision kPrecision>
constexpr KernelTable with_attention(KernelTable table) {
    const auto set = [&table](KvType type, Attention attention) {
        table.kv[static_cast<std::size_t>(type)].attention[static_cast<std::size_t>(kPrecision)] =
            attention;
    };
    set(KvType::kF16, AttentionKernels<W>::f16);
    set(KvType::kF32, AttentionKernels<W>::f32);
    set(KvType::kQ8_0, AttentionKernels<W>::q8_0);
    return table;
}

/// The same for all tokens.
template <class W>
constexpr KernelTable with_attention(const KernelTable& table) {
    return with_attention<W, Precision::kExact>(with_attention<W, Precision::kFast>(table));
}

}  // namespace notso::ml::kernels
