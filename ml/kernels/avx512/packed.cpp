// Products of packed weights for AVX-512 with VNNI.
#include "ml/kernels/avx512/simd.hpp"
#include "ml/kernels/simd/packed_bodies.hpp"

namespace notso::ml::kernels {

template struct PackedProducts<Avx512, Precision::kExact>;
template struct PackedProducts<Avx512, Precision::kFast>;
template void PackedProducts<Avx512Bf16, Precision::kFast>::q4_k(const PackedMatmulArgs&) noexcept;

}  // namespace notso::ml::kernels
