// The kernels of this folder with emulated tiles, for tests on CPUs without AMX.
#pragma once

#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

/// For CPUs with AVX-512 and VNNI.
const KernelTable& emulated_amx_table() noexcept;

}  // namespace notso::ml::kernels
