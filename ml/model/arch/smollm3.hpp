// SmolLM3: a Llama in which every fourth layer has no positional encoding (NoPE, arXiv:2501.18795).
#pragma once

#include "ml/model/architecture.hpp"

namespace notso::ml {

const Architecture& smollm3_architecture() noexcept;

}  // namespace notso::ml
