// Matrix products of every block type for AVX-512 F, BW, DQ and VL.
#include "ml/kernels/simd/matmul.hpp"

#include "ml/kernels/avx512/kernels.hpp"
#include "ml/kernels/avx512/simd.hpp"
#include "ml/kernels/simd/blocks.hpp"

namespace notso::ml::kernels::avx512 {

void matmul_f32(const MatmulArgs& args) noexcept { matmul<Avx512, WeightsF32<Avx512>>(args); }
void matmul_f16(const MatmulArgs& args) noexcept { matmul<Avx512, WeightsF16<Avx512>>(args); }
void matmul_bf16(const MatmulArgs& args) noexcept { matmul<Avx512, WeightsBF16<Avx512>>(args); }
void matmul_q4_0(const MatmulArgs& args) noexcept { matmul<Avx512, WeightsQ4_0<Avx512>>(args); }
void matmul_q4_1(const MatmulArgs& args) noexcept { matmul<Avx512, WeightsQ4_1<Avx512>>(args); }
void matmul_q8_0(const MatmulArgs& args) noexcept { matmul<Avx512, WeightsQ8_0<Avx512>>(args); }
void matmul_q4_k(const MatmulArgs& args) noexcept { matmul<Avx512, WeightsQ4_K<Avx512>>(args); }
void matmul_q6_k(const MatmulArgs& args) noexcept { matmul<Avx512, WeightsQ6_K<Avx512>>(args); }
void matmul_any(const MatmulArgs& args) noexcept { kernels::matmul_any<Avx512>(args); }

}  // namespace notso::ml::kernels::avx512
