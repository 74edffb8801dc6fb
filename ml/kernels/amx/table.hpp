// The table of the kernels for AMX (tiles with bf16) beside AVX-512 with VNNI.
#pragma once

#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

const KernelTable& amx_table() noexcept;

}  // namespace notso::ml::kernels
