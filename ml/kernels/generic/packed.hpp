// Plain products of packed weights with integer tokens: the twins of the fast ones, bit for bit.
#pragma once

#include "ml/kernels/packed.hpp"

namespace notso::ml::kernels::generic {

/// Products of every packed type.
PackedKernels packed_kernels(Precision precision) noexcept;

}  // namespace notso::ml::kernels::generic
