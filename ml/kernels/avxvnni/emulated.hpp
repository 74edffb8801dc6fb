// The kernels of this folder by instructions of AVX-512, for tests on CPUs without AVX-VNNI.
#pragma once

#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

/// For CPUs with AVX-512 and VNNI.
const KernelTable& emulated_avxvnni_table() noexcept;

}  // namespace notso::ml::kernels
