// The kernels for AVX-512 F, BW, DQ, VL and VNNI.
#pragma once

#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

/// Callable on a CPU without these instructions; what is in it is not.
const KernelTable& avx512_table() noexcept;
/// The same for CPUs with AVX512_BF16 too: the same bits, sooner.
const KernelTable& avx512_bf16_table() noexcept;

}  // namespace notso::ml::kernels
