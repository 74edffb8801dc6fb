// Qwen2 and Qwen2.5 (arXiv:2412.15115): q, k and v have biases.
#pragma once

#include "ml/model/architecture.hpp"

namespace notso::ml {

const Architecture& qwen2_architecture() noexcept;

}  // namespace notso::ml
