// Matrix products of every block type for AVX-512 F, BW, DQ and VL.
#include "ml/kernels/avx512/simd.hpp"
#include "ml/kernels/simd/matmul_bodies.hpp"

namespace notso::ml::kernels {

template struct MatmulKernels<Avx512>;

}  // namespace notso::ml::kernels
