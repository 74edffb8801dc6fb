#include "ml/device/kernel_files.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>

namespace notso::ml::kernel_files {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = 1 << 20;

std::optional<std::uint64_t> number_at_start(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) return std::nullopt;
    return value;
}

/// The next line of `text`, which loses it.
std::string_view take_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

std::vector<fs::path> with_parents(const fs::path& root, fs::path group) {
    // A process outside its namespace's root sees "/../x": only the root can be looked at then.
    if (std::ranges::find(group, "..") != group.end()) return {root};
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

}  // namespace

std::string read_text(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::string text;
    std::array<char, 4096> piece;
    while (in && text.size() < kMostBytes) {
        in.read(piece.data(), std::ssize(piece));
        text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    }
    return text;
}

std::optional<std::uint64_t> read_number(const fs::path& path) {
    return number_at_start(read_text(path));
}

std::optional<std::uint64_t> read_field(const fs::path& path, std::string_view key) {
    const std::string text = read_text(path);
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view line = take_line(rest);
        if (!line.starts_with(key)) continue;
        const std::string_view value = line.substr(key.size());
        if (!value.starts_with(' ') && !value.starts_with('\t')) continue;
        if (const auto number = number_at_start(value)) return number;
    }
    return std::nullopt;
}

GroupFolders control_group(const SystemRoots& roots, std::string_view controller) {
    const std::string text = read_text(roots.proc / "self" / "cgroup");
    GroupFolders found;
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view line = take_line(rest);  // "3:cpu,cpuacct:/box"
        const auto first = line.find(':');
        const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const std::string_view controllers = line.substr(first + 1, second - first - 1);
        const fs::path group = line.substr(second + 1);
        if (names_controller(controllers, controller)) {
            return {with_parents(roots.sys / "fs/cgroup" / controller, group), false};
        }
        if (controllers.empty()) found = {with_parents(roots.sys / "fs/cgroup", group), true};
    }
    return found;
}

std::vector<fs::path> cpu_folders(const SystemRoots& roots) {
    std::vector<fs::path> folders;
    std::error_code error;
    fs::directory_iterator entry(roots.sys / "devices/system/cpu", error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (name.starts_with("cpu") && name.size() > 3 &&
            name.find_first_not_of("0123456789", 3) == std::string::npos)
            folders.push_back(entry->path());
    }
    return folders;
}

}  // namespace notso::ml::kernel_files
