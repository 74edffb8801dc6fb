// Llama, and the many models that are built like it (SmolLM2, TinyLlama, Mistral, …). Some of them
// have biases (attention_bias, mlp_bias of their configurations).
#pragma once

#include "ml/model/architecture.hpp"

namespace notso::ml {

const Architecture& llama_architecture() noexcept;

}  // namespace notso::ml
