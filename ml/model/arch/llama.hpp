// Llama, and the many models that are built like it (SmolLM2, TinyLlama, …).
#pragma once

#include "ml/model/architecture.hpp"

namespace notso::ml {

const Architecture& llama_architecture() noexcept;

}  // namespace notso::ml
