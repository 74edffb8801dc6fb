// Small text files of /proc and /sys, and the folders of this process's control group. What is
// missing, unreadable or no number is simply absent: never an error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace notso::ml {

/// Where the kernel tells about itself; tests put a copy elsewhere.
struct SystemRoots {
    std::filesystem::path proc = "/proc";
    std::filesystem::path sys = "/sys";
};

namespace kernel_files {

/// At most the first MiB of a file; empty when it can't be read.
std::string read_text(const std::filesystem::path& path);

/// The number at the start of a file; empty for "max", for what is absent or no number.
std::optional<std::uint64_t> read_number(const std::filesystem::path& path);

/// The number after `key` in a file of lines "key number" or "key: number kB".
std::optional<std::uint64_t> read_field(const std::filesystem::path& path, std::string_view key);

/// Folders of this process's control group, innermost first. Version 2 has one hierarchy.
struct GroupFolders {
    std::vector<std::filesystem::path> folders;
    bool version2 = false;
};

GroupFolders control_group(const SystemRoots& roots, std::string_view controller);

/// The folders cpu0, cpu1, … of sys/devices/system/cpu; empty where the system does not say.
std::vector<std::filesystem::path> cpu_folders(const SystemRoots& roots);

}  // namespace kernel_files
}  // namespace notso::ml
