// Keys and values of every KvType for AVX2, FMA and F16C.
#include "ml/kernels/simd/attention.hpp"

#include "ml/kernels/avx2/kernels.hpp"
#include "ml/kernels/avx2/simd.hpp"

namespace notso::ml::kernels::avx2 {

void store_f16(const float* row, std::byte* out, std::int32_t n) noexcept {
    KvF16<Avx2>::store(row, out, n);
}
void store_f32(const float* row, std::byte* out, std::int32_t n) noexcept {
    KvF32<Avx2>::store(row, out, n);
}
void store_q8_0(const float* row, std::byte* out, std::int32_t n) noexcept {
    KvQ8_0<Avx2>::store(row, out, n);
}
void attention_f16(const AttentionArgs& args) noexcept { attention<Avx2, KvF16<Avx2>>(args); }
void attention_f32(const AttentionArgs& args) noexcept { attention<Avx2, KvF32<Avx2>>(args); }
void attention_q8_0(const AttentionArgs& args) noexcept { attention<Avx2, KvQ8_0<Avx2>>(args); }

}  // namespace notso::ml::kernels::avx2
