// Matrix products of every block type for AVX2, FMA and F16C.
#include "ml/kernels/avx2/simd.hpp"
#include "ml/kernels/simd/matmul_bodies.hpp"

namespace notso::ml::kernels {

template struct MatmulKernels<Avx2>;

}  // namespace notso::ml::kernels
