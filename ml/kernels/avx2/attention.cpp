// Attention over f16 and f32 keys and values for AVX2, FMA and F16C.
#include "ml/kernels/simd/attention.hpp"

#include "ml/kernels/avx2/kernels.hpp"
#include "ml/kernels/avx2/simd.hpp"

namespace notso::ml::kernels::avx2 {

void attention_f16(const AttentionArgs& args) noexcept { attention<Avx2, std::uint16_t>(args); }
void attention_f32(const AttentionArgs& args) noexcept { attention<Avx2, float>(args); }

}  // namespace notso::ml::kernels::avx2
