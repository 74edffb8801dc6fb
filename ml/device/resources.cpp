#include "ml/device/resources.hpp"

#include <sched.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

namespace notso::ml {
namespace {

namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
    std::ifstream in(path);
    std::ostringstream text;
    if (in) text << in.rdbuf();
    return text.str();
}

/// The number at the start of a file; empty for "max", for what is absent and for what is no
/// number.
std::optional<std::uint64_t> read_number(const fs::path& path) {
    const std::string text = read_text(path);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) return std::nullopt;
    return value;
}

/// The number after `key` in a file of lines "key number" or "key: number kB".
std::optional<std::uint64_t> read_field(const fs::path& path, std::string_view key) {
    std::istringstream lines(read_text(path));
    std::string name;
    std::uint64_t value = 0;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        if (fields >> name >> value && name == key) return value;
    }
    return std::nullopt;
}

/// Folders of this process's control group for `controller`, innermost first. Version 2 has one
/// hierarchy.
struct GroupFolders {
    std::vector<fs::path> folders;
    bool version2 = false;
};

std::vector<fs::path> with_parents(const fs::path& root, fs::path group) {
    std::vector<fs::path> folders;
    while (group.has_relative_path()) {
        folders.push_back(root / group.relative_path());
        group = group.parent_path();
    }
    folders.push_back(root);
    return folders;
}

bool names_controller(std::string_view list, std::string_view controller) {
    while (!list.empty()) {
        const auto comma = list.find(',');
        if (list.substr(0, comma) == controller) return true;
        list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    }
    return false;
}

GroupFolders control_group(const SystemRoots& roots, std::string_view controller) {
    std::istringstream lines(read_text(roots.proc / "self" / "cgroup"));
    GroupFolders found;
    for (std::string line; std::getline(lines, line);) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const fs::path group = line.substr(second + 1);
        if (names_controller(controllers, controller)) {
            return {with_parents(roots.sys / "fs/cgroup" / controller, group), false};
        }
        if (controllers.empty()) found = {with_parents(roots.sys / "fs/cgroup", group), true};
    }
    return found;
}

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

CoreCount count_cores(const SystemRoots& roots) {
    CoreCount count;
    std::vector<cpu_set_t> mask(64);  // room for 65,536 CPUs
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
    const GroupFolders group = control_group(roots, "cpu");
    for (const fs::path& folder : group.folders) {
        if (const auto quota = quota_of(folder, group.version2); quota && *quota < count.usable) {
            count.usable = std::max(1, static_cast<std::int32_t>(std::ceil(*quota)));
        }
    }
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
