// Keys and values of every KvType for AVX2, FMA and F16C.
#include "ml/kernels/simd/attention.hpp"

#include "ml/kernels/avx2/kernels.hpp"
#include "ml/kernels/avx2/simd.hpp"

namespace notso::ml::kernels {

template struct AttentionKernels<Numbers<Avx2>>;

namespace avx2 {

void store_f16(const float* row, std::byte* out, std::int32_t n) noexcept {
    KvF16<Avx2>::store(row, out, n);
}
void store_f32(const float* row, std::byte* out, std::int32_t n) noexcept {
    KvF32<Avx2>::store(row, out, n);
}
void store_q8_0(const float* row, std::byte* out, std::int32_t n) noexcept {
    KvQ8_0<Avx2>::store(row, out, n);
}

}  // namespace avx2
}  // namespace notso::ml::kernels
