#include "app/paths.hpp"

#include <system_error>

namespace notso::app {
namespace fs = std::filesystem;

fs::path default_data_dir(const Environment& environment) {
    // The XDG rules: a relative XDG_DATA_HOME is ignored.
    if (const auto xdg = environment("XDG_DATA_HOME"); xdg && fs::path(*xdg).is_absolute())
        return fs::path(*xdg) / "notso";
    if (const auto home = environment("HOME"); home && !home->empty())
        return fs::path(*home) / ".local" / "share" / "notso";
    return fs::current_path() / "data";
}

fs::path default_models_dir(const Environment& environment) {
    std::error_code ignored;
    if (fs::is_directory("models", ignored)) return "models";
    const fs::path executable = fs::read_symlink("/proc/self/exe", ignored);
    // build/<preset>/notso: the tree's models/ folder is three levels up.
    const fs::path beside = executable.parent_path().parent_path().parent_path() / "models";
    if (!executable.empty() && fs::is_directory(beside, ignored)) return beside;
    return default_data_dir(environment) / "models";
}

}  // namespace notso::app
