// Matrix products of every block type for AVX2, FMA and F16C.
#include "ml/kernels/simd/matmul.hpp"

#include "ml/kernels/avx2/kernels.hpp"
#include "ml/kernels/avx2/simd.hpp"
#include "ml/kernels/simd/blocks.hpp"

namespace notso::ml::kernels::avx2 {

void matmul_f32(const MatmulArgs& args) noexcept { matmul<Avx2, WeightsF32<Avx2>>(args); }
void matmul_f16(const MatmulArgs& args) noexcept { matmul<Avx2, WeightsF16<Avx2>>(args); }
void matmul_bf16(const MatmulArgs& args) noexcept { matmul<Avx2, WeightsBF16<Avx2>>(args); }
void matmul_q4_0(const MatmulArgs& args) noexcept { matmul<Avx2, WeightsQ4_0<Avx2>>(args); }
void matmul_q4_1(const MatmulArgs& args) noexcept { matmul<Avx2, WeightsQ4_1<Avx2>>(args); }
void matmul_q8_0(const MatmulArgs& args) noexcept { matmul<Avx2, WeightsQ8_0<Avx2>>(args); }
void matmul_q4_k(const MatmulArgs& args) noexcept { matmul<Avx2, WeightsQ4_K<Avx2>>(args); }
void matmul_q6_k(const MatmulArgs& args) noexcept { matmul<Avx2, WeightsQ6_K<Avx2>>(args); }
void matmul_any(const MatmulArgs& args) noexcept { kernels::matmul_any<Avx2>(args); }

}  // namespace notso::ml::kernels::avx2
