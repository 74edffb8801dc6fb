// Products of packed weights for AVX2, FMA and F16C.
#include "ml/kernels/avx2/simd.hpp"
#include "ml/kernels/simd/packed_bodies.hpp"

namespace notso::ml::kernels {

template struct PackedProducts<Avx2, Precision::kExact>;
template struct PackedProducts<Avx2, Precision::kFast>;

}  // namespace notso::ml::kernels
