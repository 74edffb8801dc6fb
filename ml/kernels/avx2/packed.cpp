// Products of packed weights for AVX2, FMA and F16C.
#include "ml/kernels/avx2/simd.hpp"
#include "ml/kernels/simd/matmul_kernels.hpp"
#include "ml/kernels/simd/packed_matmul.hpp"

namespace notso::ml::kernels {

template <>
void PackedKernels<Avx2>::q4_0(const PackedMatmulArgs& args) noexcept {
    packed_matmul<Avx2, PackedQ4_0<Avx2>>(args);
}
template <>
void PackedKernels<Avx2>::q4_1(const PackedMatmulArgs& args) noexcept {
    packed_matmul<Avx2, PackedQ4_1<Avx2>>(args);
}
template <>
void PackedKernels<Avx2>::q8_0(const PackedMatmulArgs& args) noexcept {
    packed_matmul<Avx2, PackedQ8_0<Avx2>>(args);
}
template <>
void PackedKernels<Avx2>::q4_k(const PackedMatmulArgs& args) noexcept {
    packed_matmul<Avx2, PackedQ4_K<Avx2>>(args);
}
template <>
void PackedKernels<Avx2>::q5_k(const PackedMatmulArgs& args) noexcept {
    packed_matmul<Avx2, PackedQ5_K<Avx2>>(args);
}
template <>
void PackedKernels<Avx2>::q6_k(const PackedMatmulArgs& args) noexcept {
    packed_matmul<Avx2, PackedQ6_K<Avx2>>(args);
}
template <>
void PackedKernels<Avx2>::quantize_token(
    const float* x, std::int32_t n, std::int16_t* q, float* scales, float* sums) noexcept {
    kernels::quantize_token<Avx2>(x, n, q, scales, sums);
}

}  // namespace notso::ml::kernels
