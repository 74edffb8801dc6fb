// Norm, rotation, activation and softmax for AVX2, FMA and F16C.
#include "ml/kernels/avx2/kernels.hpp"
#include "ml/kernels/avx2/simd.hpp"
#include "ml/kernels/simd/math.hpp"

namespace notso::ml::kernels::avx2 {

void rms_norm(const float* x, const float* weight, float* out, std::int32_t n, float eps) noexcept {
    kernels::rms_norm<Avx2>(x, weight, out, n, eps);
}
void rope(float* head, const float* cos_sin, std::int32_t n_pairs) noexcept {
    kernels::rope<Avx2>(head, cos_sin, n_pairs);
}
void silu_mul(float* gate, const float* up, std::int32_t n) noexcept {
    kernels::silu_mul<Avx2>(gate, up, n);
}
void softmax(float* x, std::int32_t n) noexcept { kernels::softmax<Avx2>(x, n); }

}  // namespace notso::ml::kernels::avx2
