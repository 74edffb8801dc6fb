// Products of packed weights by emulated tiles. Part of the tests.
#include "ml/kernels/amx/bodies.hpp"
#include "ml/kernels/amx/emulated_tiles.hpp"

namespace notso::ml::kernels {

template struct PackedProducts<Tiled<EmulatedTiles>, Precision::kExact>;
template struct PackedProducts<Tiled<EmulatedTiles>, Precision::kFast>;

}  // namespace notso::ml::kernels
