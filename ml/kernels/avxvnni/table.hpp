// The kernels for AVX-VNNI beside AVX2, FMA and F16C: CPUs without AVX-512, Intel's since Alder
// Lake.
#pragma once

#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

/// Callable on a CPU without these instructions; what is in it is not.
const KernelTable& avxvnni_table() noexcept;

}  // namespace notso::ml::kernels
