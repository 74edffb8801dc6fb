// The kernels for AVX-512 F, BW, DQ and VL.
#pragma once

#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

/// Callable on a CPU without these instructions; what is in it is not.
const KernelTable& avx512_table() noexcept;

}  // namespace notso::ml::kernels
