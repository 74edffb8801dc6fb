// Products of packed weights by EvexDots. Part of the tests.
#include "ml/kernels/avxvnni/simd.hpp"
#include "ml/kernels/simd/packed_bodies.hpp"

namespace notso::ml::kernels {

template struct PackedProducts<AvxVnni<EvexDots>, Precision::kExact>;
template struct PackedProducts<AvxVnni<EvexDots>, Precision::kFast>;

}  // namespace notso::ml::kernels
