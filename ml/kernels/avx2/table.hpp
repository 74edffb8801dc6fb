// The kernels for AVX2, FMA and F16C.
#pragma once

#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

/// Callable on a CPU without these instructions; what is in it is not.
const KernelTable& avx2_table() noexcept;

}  // namespace notso::ml::kernels
