// Puts the matrix products of one instruction set into its table: one line per block type. For
// files compiled without that instruction set's flags.
#pragma once

#include "ml/gguf/file.hpp"
#include "ml/kernels/simd/matmul_kernels.hpp"

namespace notso::ml::kernels {

/// `others` with every block type that has a fast kernel.
template <class S>
constexpr KernelTable with_matmuls(const KernelTable& others) {
    using enum gguf::TensorType;
    KernelTable table = others;
    const auto set = [&table](gguf::TensorType type, Matmul matmul) {
        table.matmul_by_type[static_cast<std::size_t>(type)] = matmul;
    };
    set(kF32, MatmulKernels<S>::f32);
    set(kF16, MatmulKernels<S>::f16);
    set(kBF16, MatmulKernels<S>::bf16);
    set(kQ4_0, MatmulKernels<S>::q4_0);
    set(kQ4_1, MatmulKernels<S>::q4_1);
    set(kQ5_0, MatmulKernels<S>::q5_0);
    set(kQ5_1, MatmulKernels<S>::q5_1);
    set(kQ8_0, MatmulKernels<S>::q8_0);
    set(kQ2_K, MatmulKernels<S>::q2_k);
    set(kQ3_K, MatmulKernels<S>::q3_k);
    set(kQ4_K, MatmulKernels<S>::q4_k);
    set(kQ5_K, MatmulKernels<S>::q5_k);
    set(kQ6_K, MatmulKernels<S>::q6_k);
    set(kIQ4_NL, MatmulKernels<S>::iq4_nl);
    set(kIQ4_XS, MatmulKernels<S>::iq4_xs);
    table.matmul_any = MatmulKernels<S>::any;
    return table;
}

/// Every product of packed weights.
template <class S, Precision kPrecision>
constexpr PackedKernels packed_kernels() {
    using enum gguf::TensorType;
    using Products = PackedProducts<S, kPrecision>;
    PackedKernels kernels = {.by_type = {}, .quantize_token = Products::quantize_token};
    const auto set = [&kernels](gguf::TensorType type, PackedMatmul matmul) {
        kernels.by_type[static_cast<std::size_t>(type)] = matmul;
    };
    set(kQ4_0, Products::q4_0);
    set(kQ4_1, Products::q4_1);
    set(kQ8_0, Products::q8_0);
    set(kQ4_K, Products::q4_k);
    set(kQ5_K, Products::q5_k);
    set(kQ6_K, Products::q6_k);
    return kernels;
}

/// `others` with all matrix products of S; where Packed is named, its products of packed weights.
template <class S, class Packed = S>
constexpr KernelTable with_products(const KernelTable& others) {
    KernelTable table = with_matmuls<S>(others);
    table.packed[static_cast<std::size_t>(Precision::kExact)] =
        packed_kernels<Packed, Precision::kExact>();
    table.packed[static_cast<std::size_t>(Precision::kFast)] =
        packed_kernels<Packed, Precision::kFast>();
    return table;
}

}  // namespace notso::ml::kernels
