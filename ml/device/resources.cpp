#include "ml/device/resources.hpp"

#include <sched.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <sstream>

namespace notso::ml {
namespace {

namespace fs = std::filesystem;
using kernel_files::control_group;
using kernel_files::GroupFolders;
using kernel_files::read_field;
using kernel_files::read_number;
using kernel_files::read_text;

constexpr std::int32_t kMostCpus = 65536;

std::optional<double> quota_of(const fs::path& folder, bool version2) {
    double quota = 0;
    double period = 0;
    if (version2) {
        std::istringstream text(read_text(folder / "cpu.max"));  // "max 100000" or "150000 100000"
        if (!(text >> quota >> period)) return std::nullopt;
    } else {
        quota = static_cast<double>(read_number(folder / "cpu.cfs_quota_us").value_or(0));
        period = static_cast<double>(read_number(folder / "cpu.cfs_period_us").value_or(0));
    }
    if (quota <= 0 || period <= 0) return std::nullopt;
    return quota / period;
}

struct GroupMemory {
    std::uint64_t limit = 0;
    std::uint64_t used = 0;  // page cache that can be dropped is not counted
};

std::optional<GroupMemory> memory_of(const fs::path& folder, bool version2) {
    const auto limit = read_number(folder / (version2 ? "memory.max" : "memory.limit_in_bytes"));
    const auto usage =
        read_number(folder / (version2 ? "memory.current" : "memory.usage_in_bytes"));
    if (!limit || !usage) return std::nullopt;
    const std::string prefix = version2 ? "" : "total_";
    const fs::path stat = folder / "memory.stat";
    const std::uint64_t cache = read_field(stat, prefix + "inactive_file").value_or(0) +
                                read_field(stat, prefix + "active_file").value_or(0);
    return GroupMemory{*limit, *usage - std::min(*usage, cache)};
}

/// A core's name: the first of its hyper-threads, or the CPU itself where the system does not say.
std::int32_t core_of(const SystemRoots& roots, std::int32_t cpu) {
    const fs::path list =
        roots.sys / fmt::format("devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu);
    const std::int32_t first = first_cpu_of_list(read_text(list));
    return first < 0 ? cpu : first;
}

}  // namespace

std::int32_t first_cpu_of_list(const std::string& list) {
    std::int32_t cpu = -1;
    std::from_chars(list.data(), list.data() + list.size(), cpu);
    return cpu;
}

std::int32_t cpus_of_list(std::string_view list) {
    std::int32_t count = 0;
    while (!list.empty()) {
        const std::string_view part = list.substr(0, list.find(','));
        list.remove_prefix(std::min(part.size() + 1, list.size()));
        std::int32_t first = 0;
        const char* const end = part.data() + part.size();
        const auto [dash, error] = std::from_chars(part.data(), end, first);
        if (error != std::errc{} || first < 0) continue;
        std::int32_t last = first;
        if (dash != end && *dash == '-') std::from_chars(dash + 1, end, last);
        if (last >= first && last < kMostCpus)
            count = std::min(count + last - first + 1, kMostCpus);
    }
    return count;
}

CoreCount count_cores(const SystemRoots& roots) {
    CoreCount count;
    std::vector<cpu_set_t> mask(kMostCpus / (8 * sizeof(cpu_set_t)));
    const std::size_t bytes = mask.size() * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, mask.data()) == 0) {
        std::set<std::int32_t> cores;
        count.logical = CPU_COUNT_S(bytes, mask.data());
        for (std::size_t cpu = 0; cpu < bytes * 8; ++cpu) {
            if (CPU_ISSET_S(cpu, bytes, mask.data()))
                cores.insert(core_of(roots, static_cast<std::int32_t>(cpu)));
        }
        count.physical = std::max(1, static_cast<std::int32_t>(cores.size()));
    }
    count.usable = count.physical;
    count.online = cpus_of_list(read_text(roots.sys / "devices/system/cpu/online"));
    const GroupFolders group = control_group(roots, "cpu");
    for (const fs::path& folder : group.folders) {
        const auto quota = quota_of(folder, group.version2);
        if (quota && (count.quota == 0 || *quota < count.quota)) count.quota = *quota;
    }
    if (count.quota > 0 && count.quota < count.usable)
        count.usable = std::max(1, static_cast<std::int32_t>(std::ceil(count.quota)));
    return count;
}

std::int32_t choose_threads(std::int32_t requested, const CoreCount& cores) noexcept {
    return requested <= 0 ? cores.usable : std::min(requested, cores.logical);
}

MemoryInfo read_memory(const SystemRoots& roots) {
    MemoryInfo info;
    constexpr std::uint64_t kUnknownKiB = std::numeric_limits<std::uint64_t>::max() / 1024;
    const fs::path machine = roots.proc / "meminfo";
    info.total_bytes = read_field(machine, "MemTotal:").value_or(kUnknownKiB) * 1024;
    info.available_bytes = read_field(machine, "MemAvailable:").value_or(kUnknownKiB) * 1024;
    const GroupFolders group = control_group(roots, "memory");
    for (const fs::path& folder : group.folders) {
        const auto memory = memory_of(folder, group.version2);
        if (!memory || memory->limit >= info.total_bytes) continue;
        info.total_bytes = memory->limit;
        info.available_bytes =
            std::min(info.available_bytes, memory->limit - std::min(memory->limit, memory->used));
    }
    return info;
}

}  // namespace notso::ml
