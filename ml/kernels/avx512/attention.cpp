// Attention over f16 and f32 keys and values for AVX-512 F, BW, DQ and VL.
#include "ml/kernels/simd/attention.hpp"

#include "ml/kernels/avx512/kernels.hpp"
#include "ml/kernels/avx512/simd.hpp"

namespace notso::ml::kernels::avx512 {

void attention_f16(const AttentionArgs& args) noexcept { attention<Avx512, std::uint16_t>(args); }
void attention_f32(const AttentionArgs& args) noexcept { attention<Avx512, float>(args); }

}  // namespace notso::ml::kernels::avx512
