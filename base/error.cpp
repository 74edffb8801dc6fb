#include "base/error.hpp"

#include <array>
#include <utility>

namespace notso {
namespace {

constexpr std::array<std::string_view, 16> kNames = {
    "invalid_argument", "not_found",   "already_exists", "unsupported",    "corrupt_data",  "permission_denied",
    "busy",             "overloaded",  "unavailable",    "too_large",      "context_length", "out_of_memory",
    "timeout",          "cancelled",   "io",             "internal",
};
static_assert(kNames.size() == static_cast<std::size_t>(ErrorCode::kInternal) + 1);

}  // namespace

std::string_view to_string(ErrorCode code) noexcept {
    const auto index = static_cast<std::size_t>(code);
    return index < kNames.size() ? kNames[index] : "internal";
}

}  // namespace notso
