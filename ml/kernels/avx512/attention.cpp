// Keys and values of every KvType for AVX-512 F, BW, DQ and VL.
#include "ml/kernels/simd/attention.hpp"

#include "ml/kernels/avx512/kernels.hpp"
#include "ml/kernels/avx512/simd.hpp"

namespace notso::ml::kernels {

template struct AttentionKernels<Numbers<Avx512>>;
template struct AttentionKernels<Bf16Pairs<Avx512Bf16>>;

namespace avx512 {

void store_f16(const float* row, std::byte* out, std::int32_t n) noexcept {
    KvF16<Avx512>::store(row, out, n);
}
void store_f32(const float* row, std::byte* out, std::int32_t n) noexcept {
    KvF32<Avx512>::store(row, out, n);
}
void store_q8_0(const float* row, std::byte* out, std::int32_t n) noexcept {
    KvQ8_0<Avx512>::store(row, out, n);
}

}  // namespace avx512
}  // namespace notso::ml::kernels
