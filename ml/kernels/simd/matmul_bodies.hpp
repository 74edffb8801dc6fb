// What matmul_kernels.hpp declares. Only for files compiled for one instruction set.
#pragma once

#include "ml/kernels/simd/blocks.hpp"
#include "ml/kernels/simd/blocks_k.hpp"
#include "ml/kernels/simd/matmul.hpp"
#include "ml/kernels/simd/matmul_kernels.hpp"

namespace notso::ml::kernels {

template <class S>
void MatmulKernels<S>::f32(const MatmulArgs& args) noexcept {
    matmul<S, WeightsF32<S>>(args);
}
template <class S>
void MatmulKernels<S>::f16(const MatmulArgs& args) noexcept {
    matmul<S, WeightsF16<S>>(args);
}
template <class S>
void MatmulKernels<S>::bf16(const MatmulArgs& args) noexcept {
    matmul<S, WeightsBF16<S>>(args);
}
template <class S>
void MatmulKernels<S>::q4_0(const MatmulArgs& args) noexcept {
    matmul<S, WeightsQ4_0<S>>(args);
}
template <class S>
void MatmulKernels<S>::q4_1(const MatmulArgs& args) noexcept {
    matmul<S, WeightsQ4_1<S>>(args);
}
template <class S>
void MatmulKernels<S>::q5_0(const MatmulArgs& args) noexcept {
    matmul<S, WeightsQ5_0<S>>(args);
}
template <class S>
void MatmulKernels<S>::q5_1(const MatmulArgs& args) noexcept {
    matmul<S, WeightsQ5_1<S>>(args);
}
template <class S>
void MatmulKernels<S>::q8_0(const MatmulArgs& args) noexcept {
    matmul<S, WeightsQ8_0<S>>(args);
}
template <class S>
void MatmulKernels<S>::q2_k(const MatmulArgs& args) noexcept {
    matmul<S, WeightsQ2_K<S>>(args);
}
template <class S>
void MatmulKernels<S>::q3_k(const MatmulArgs& args) noexcept {
    matmul<S, WeightsQ3_K<S>>(args);
}
template <class S>
void MatmulKernels<S>::q4_k(const MatmulArgs& args) noexcept {
    matmul<S, WeightsQ4_K<S>>(args);
}
template <class S>
void MatmulKernels<S>::q5_k(const MatmulArgs& args) noexcept {
    matmul<S, WeightsQ5_K<S>>(args);
}
template <class S>
void MatmulKernels<S>::q6_k(const MatmulArgs& args) noexcept {
    matmul<S, WeightsQ6_K<S>>(args);
}
template <class S>
void MatmulKernels<S>::iq4_nl(const MatmulArgs& args) noexcept {
    matmul<S, WeightsIQ4_NL<S>>(args);
}
template <class S>
void MatmulKernels<S>::iq4_xs(const MatmulArgs& args) noexcept {
    matmul<S, WeightsIQ4_XS<S>>(args);
}
template <class S>
void MatmulKernels<S>::any(const MatmulArgs& args) noexcept {
    matmul_any<S>(args);
}

}  // namespace notso::ml::kernels
