// The plain kernels.
#pragma once

#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

/// Runs on every CPU and takes any number of columns and any head dimension.
const KernelTable& generic_table() noexcept;

}  // namespace notso::ml::kernels
