// Cores and memory that this process may really use: affinity mask, control groups and the machine,
// whichever is smallest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ml/device/kernel_files.hpp"

namespace notso::ml {

struct CoreCount {
    std::int32_t logical = 1;   ///< CPUs in the affinity mask.
    std::int32_t physical = 1;  ///< Different cores among them (hyper-threads count once).
    std::int32_t usable = 1;    ///< min(physical, CPU quota rounded up), at least 1.
    std::int32_t online = 0;    ///< CPUs of the machine; 0 where the system does not say.
    double quota = 0;           ///< CPU time of the control groups, in CPUs; 0 = no limit.
};

CoreCount count_cores(const SystemRoots& roots = {});

/// Compute threads for a request: 0 = the usable cores; more than there are CPUs only wait for each
/// other.
std::int32_t choose_threads(std::int32_t requested, const CoreCount& cores) noexcept;

/// The largest numbers where the system does not say.
struct MemoryInfo {
    std::uint64_t total_bytes = 0;      ///< Of the machine, or of the control group.
    std::uint64_t available_bytes = 0;  ///< To be had without swapping; page cache counts as free.
};

MemoryInfo read_memory(const SystemRoots& roots = {});

/// The first CPU of a list such as "0-3,8,10-11" (kernel format); -1 when there is none.
std::int32_t first_cpu_of_list(const std::string& list);

/// How many CPUs are in such a list. Parts that are no numbers count as none.
std::int32_t cpus_of_list(std::string_view list);

}  // namespace notso::ml
