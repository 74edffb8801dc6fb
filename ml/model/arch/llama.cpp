#include "ml/model/arch/llama.hpp"

namespace notso::ml {
namespace {

constexpr Architecture kLlama = {
    .name = "llama",
    .rotates = [](std::int32_t) noexcept { return true; },
};

}  // namespace

const Architecture& llama_architecture() noexcept { return kLlama; }

}  // namespace notso::ml
