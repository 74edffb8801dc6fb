// Qwen3 (arXiv:2505.09388), the dense models: q and k of each head are normed before they are
// rotated, and a head is wider than hidden size / heads. Biases only where a file's training asked
// for them (attention_bias).
#pragma once

#include "ml/model/architecture.hpp"

namespace notso::ml {

const Architecture& qwen3_architecture() noexcept;

}  // namespace notso::ml
