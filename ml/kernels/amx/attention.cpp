// Attention of fast tokens for AMX.
#include "ml/kernels/amx/attention.hpp"

namespace notso::ml::kernels {

template struct AttentionKernels<TilePairs<AmxTiles, Avx512Bf16>>;

}  // namespace notso::ml::kernels
