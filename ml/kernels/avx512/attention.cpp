// Keys and values of every KvType for AVX-512 F, BW, DQ and VL.
#include "ml/kernels/simd/attention.hpp"

#include "ml/kernels/avx512/kernels.hpp"
#include "ml/kernels/avx512/simd.hpp"

namespace notso::ml::kernels::avx512 {

void store_f16(const float* row, std::byte* out, std::int32_t n) noexcept {
    KvF16<Avx512>::store(row, out, n);
}
void store_f32(const float* row, std::byte* out, std::int32_t n) noexcept {
    KvF32<Avx512>::store(row, out, n);
}
void store_q8_0(const float* row, std::byte* out, std::int32_t n) noexcept {
    KvQ8_0<Avx512>::store(row, out, n);
}
void attention_f16(const AttentionArgs& args) noexcept { attention<Avx512, KvF16<Avx512>>(args); }
void attention_f32(const AttentionArgs& args) noexcept { attention<Avx512, KvF32<Avx512>>(args); }
void attention_q8_0(const AttentionArgs& args) noexcept { attention<Avx512, KvQ8_0<Avx512>>(args); }

}  // namespace notso::ml::kernels::avx512
