// The matrix products of one instruction set S, by name. Only declared here, so that the table,
// which runs on every CPU, can name them; ../avx2/matmul.cpp and ../avx512/matmul.cpp instantiate
// them from matmul_bodies.hpp.
#pragma once

#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

template <class S>
struct MatmulKernels {
    static void f32(const MatmulArgs& args) noexcept;
    static void f16(const MatmulArgs& args) noexcept;
    static void bf16(const MatmulArgs& args) noexcept;
    static void q4_0(const MatmulArgs& args) noexcept;
    static void q4_1(const MatmulArgs& args) noexcept;
    static void q5_0(const MatmulArgs& args) noexcept;
    static void q5_1(const MatmulArgs& args) noexcept;
    static void q8_0(const MatmulArgs& args) noexcept;
    static void q2_k(const MatmulArgs& args) noexcept;
    static void q3_k(const MatmulArgs& args) noexcept;
    static void q4_k(const MatmulArgs& args) noexcept;
    static void q5_k(const MatmulArgs& args) noexcept;
    static void q6_k(const MatmulArgs& args) noexcept;
    static void iq4_nl(const MatmulArgs& args) noexcept;
    static void iq4_xs(const MatmulArgs& args) noexcept;
    static void any(const MatmulArgs& args) noexcept;
};

/// Products of packed weights; packed_bodies.hpp, ../avx2/packed.cpp and ../avx512/packed.cpp.
template <class S, Precision kPrecision>
struct PackedProducts {
    static void q4_0(const PackedMatmulArgs& args) noexcept;
    static void q4_1(const PackedMatmulArgs& args) noexcept;
    static void q8_0(const PackedMatmulArgs& args) noexcept;
    static void q4_k(const PackedMatmulArgs& args) noexcept;
    static void q5_k(const PackedMatmulArgs& args) noexcept;
    static void q6_k(const PackedMatmulArgs& args) noexcept;
    static void quantize_token(const float* x, std::int32_t n, const TokenPlace& out) noexcept;
};

}  // namespace notso::ml::kernels
