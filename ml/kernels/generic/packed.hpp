// Plain products of packed weights with integer tokens: the twins of the fast ones, bit for bit.
#pragma once

#include "ml/gguf/file.hpp"
#include "ml/kernels/packed.hpp"

namespace notso::ml::kernels::generic {

/// Null for a type that is not packed.
PackedMatmul packed_matmul(gguf::TensorType type) noexcept;

/// kernels::QuantizeToken
void quantize_token(
    const float* x, std::int32_t n, std::int16_t* q, float* scales, float* sums) noexcept;

}  // namespace notso::ml::kernels::generic
