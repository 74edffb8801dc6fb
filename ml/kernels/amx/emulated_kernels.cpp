// Products of packed weights and attention by emulated tiles. Part of the tests.
#include "ml/kernels/amx/attention.hpp"
#include "ml/kernels/amx/bodies.hpp"
#include "ml/kernels/amx/emulated_tiles.hpp"

namespace notso::ml::kernels {

template struct PackedProducts<Tiled<EmulatedTiles>, Precision::kExact>;
template struct PackedProducts<Tiled<EmulatedTiles>, Precision::kFast>;
template struct AttentionKernels<TilePairs<EmulatedTiles, Avx512>>;

}  // namespace notso::ml::kernels
