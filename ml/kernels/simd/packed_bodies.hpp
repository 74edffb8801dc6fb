// Bodies of PackedProducts (matmul_kernels.hpp). Only for files compiled for one instruction set.
#pragma once

#include "ml/kernels/simd/matmul_kernels.hpp"
#include "ml/kernels/simd/packed_matmul.hpp"

namespace notso::ml::kernels {

template <class S, Precision kPrecision>
void PackedProducts<S, kPrecision>::q4_0(const PackedMatmulArgs& args) noexcept {
    packed_matmul<S, PackedQ4_0<S>, kPrecision>(args);
}
template <class S, Precision kPrecision>
void PackedProducts<S, kPrecision>::q4_1(const PackedMatmulArgs& args) noexcept {
    packed_matmul<S, PackedQ4_1<S>, kPrecision>(args);
}
template <class S, Precision kPrecision>
void PackedProducts<S, kPrecision>::q8_0(const PackedMatmulArgs& args) noexcept {
    packed_matmul<S, PackedQ8_0<S>, kPrecision>(args);
}
template <class S, Precision kPrecision>
void PackedProducts<S, kPrecision>::q4_k(const PackedMatmulArgs& args) noexcept {
    packed_matmul<S, PackedQ4_K<S>, kPrecision>(args);
}
template <class S, Precision kPrecision>
void PackedProducts<S, kPrecision>::q5_k(const PackedMatmulArgs& args) noexcept {
    packed_matmul<S, PackedQ5_K<S>, kPrecision>(args);
}
template <class S, Precision kPrecision>
void PackedProducts<S, kPrecision>::q6_k(const PackedMatmulArgs& args) noexcept {
    packed_matmul<S, PackedQ6_K<S>, kPrecision>(args);
}
template <class S, Precision kPrecision>
void PackedProducts<S, kPrecision>::quantize_token(const float* x,
                                                   std::int32_t n,
                                                   const TokenPlace& out) noexcept {
    kernels::quantize_token<S, kPrecision>(x, n, out);
}

}  // namespace notso::ml::kernels
