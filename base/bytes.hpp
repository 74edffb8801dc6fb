// Amounts of memory and disk, for people.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace notso {

inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

/// "3128.4 MiB".
inline std::string mebibytes(std::uint64_t bytes) {
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / static_cast<double>(kMiB));
}

}  // namespace notso
