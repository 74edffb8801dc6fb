// Products of packed weights for AVX-VNNI.
#include "ml/kernels/avxvnni/simd.hpp"
#include "ml/kernels/simd/packed_bodies.hpp"

namespace notso::ml::kernels {

template struct PackedProducts<AvxVnni<VexDots>, Precision::kExact>;
template struct PackedProducts<AvxVnni<VexDots>, Precision::kFast>;

}  // namespace notso::ml::kernels
