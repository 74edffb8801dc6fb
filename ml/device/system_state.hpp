// What the operating system says about large pages and swap: the two settings that slow models down
// without a word.
#pragma once

#include <cstdint>
#include <optional>

#include "ml/device/resources.hpp"

namespace notso::ml {

/// Transparent 2 MiB pages for anonymous memory.
enum class HugePages {
    kUnknown,  ///< The system does not say.
    kNever,    ///< Turned off: weights lie in 4 KiB pages.
    kOnRequest,
    kAlways,
};

/// Reads sys/kernel/mm/transparent_hugepage/enabled.
HugePages read_huge_pages(const SystemRoots& roots = {});

/// Memory of this process that lies in 2 MiB pages; empty where the system does not say.
/// Reads proc/self/smaps_rollup.
std::optional<std::uint64_t> read_huge_bytes(const SystemRoots& roots = {});

struct SwapInfo {
    std::uint64_t total_bytes = 0;
    std::uint64_t used_bytes = 0;
};

/// Reads proc/meminfo; zeros where it does not say.
SwapInfo read_swap(const SystemRoots& roots = {});

}  // namespace notso::ml
