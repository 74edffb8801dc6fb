#include "ml/model/registry.hpp"

#include <string>

#include "base/log.hpp"
#include "ml/model/arch/llama.hpp"
#include "ml/model/arch/smollm3.hpp"

namespace notso::ml {
namespace {

constexpr const Architecture& (*kArchitectures[])() noexcept = {
    llama_architecture,
    smollm3_architecture,
};

}  // namespace

Result<const Architecture*> find_architecture(std::string_view name) {
    std::string names;
    for (const auto architecture : kArchitectures) {
        if (architecture().name == name) return &architecture();
        if (!names.empty()) names += ", ";
        names += architecture().name;
    }
    return fail(ErrorCode::kUnsupported,
                "general.architecture is {}, which this program does not run; it runs {}",
                log::field(name),
                names);
}

}  // namespace notso::ml
