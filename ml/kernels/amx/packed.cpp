// Products of packed weights for AMX.
#include "ml/kernels/amx/bodies.hpp"

namespace notso::ml::kernels {

template struct PackedProducts<Tiled<AmxTiles>, Precision::kExact>;
template struct PackedProducts<Tiled<AmxTiles>, Precision::kFast>;

}  // namespace notso::ml::kernels
