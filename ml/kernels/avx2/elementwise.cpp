// Norm, rotation, activation, softmax and f16 conversion for AVX2, FMA and F16C.
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
void f32_to_f16(const float* in, std::uint16_t* out, std::int32_t n) noexcept {
    kernels::f32_to_f16<Avx2>(in, out, n);
}
void f16_to_f32(const std::uint16_t* in, float* out, std::int32_t n) noexcept {
    kernels::f16_to_f32<Avx2>(in, out, n);
}

}  // namespace notso::ml::kernels::avx2
