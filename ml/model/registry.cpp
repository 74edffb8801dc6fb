#include "ml/model/registry.hpp"

#include "base/log.hpp"
#include "ml/model/arch/llama.hpp"
#include "ml/model/arch/qwen2.hpp"
#include "ml/model/arch/qwen3.hpp"
#include "ml/model/arch/smollm3.hpp"

namespace notso::ml {
namespace {

constexpr const Architecture& (*kArchitectures[])() noexcept = {
    llama_architecture,
    smollm3_architecture,
    qwen2_architecture,
    qwen3_architecture,
};

}  // namespace

std::string architecture_names() {
    std::string names;
    for (const auto architecture : kArchitectures) {
        if (!names.empty()) names += ", ";
        names += architecture().name;
    }
    return names;
}

Result<const Architecture*> find_architecture(std::string_view name) {
    for (const auto architecture : kArchitectures) {
        if (architecture().name == name) return &architecture();
    }
    return fail(ErrorCode::kUnsupported,
                "{} is an architecture that this program does not run; it runs {}",
                log::field(name),
                architecture_names());
}

}  // namespace notso::ml
