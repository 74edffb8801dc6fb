#include "ml/device/brakes.hpp"

#include <algorithm>
#include <array>
#include <sstream>

namespace notso::ml {
namespace {

namespace fs = std::filesystem;
using kernel_files::read_field;
using kernel_files::read_number;
using kernel_files::read_text;

std::uint64_t grown(std::uint64_t after, std::uint64_t before) {
    return after - std::min(after, before);
}

/// The first word of a file.
std::string read_word(const fs::path& path) {
    std::istringstream text(read_text(path));
    std::string word;
    text >> word;
    return word;
}

void add_heat(const SystemRoots& roots, BrakeCounters& counters) {
    for (const fs::path& cpu : kernel_files::cpu_folders(roots)) {
        for (const char* place : {"core", "package"}) {
            const fs::path start = cpu / "thermal_throttle" / place;
            const auto count = read_number(start.string() + "_throttle_count");
            if (!count) continue;
            counters.counts_heat = true;
            counters.hot_events += *count;
            counters.hot_ms =
                std::max(counters.hot_ms,
                         read_number(start.string() + "_throttle_total_time_ms").value_or(0));
        }
    }
}

void add_quota(const SystemRoots& roots, BrakeCounters& counters) {
    for (const fs::path& folder : kernel_files::control_group(roots, "cpu").folders) {
        const fs::path stat = folder / "cpu.stat";
        counters.quota_periods += read_field(stat, "nr_periods").value_or(0);
        counters.quota_throttled += read_field(stat, "nr_throttled").value_or(0);
    }
}

void add_stolen(const SystemRoots& roots, BrakeCounters& counters) {
    // "cpu  user nice system idle iowait irq softirq steal guest guest_nice"; user holds guest.
    std::istringstream line(read_text(roots.proc / "stat"));
    std::string name;
    std::array<std::uint64_t, 8> ticks{};
    if (!(line >> name) || name != "cpu") return;
    for (std::uint64_t& tick : ticks) {
        if (!(line >> tick)) return;  // kernels before 2.6.11 have no steal
    }
    counters.stolen_ticks = ticks[7];
    counters.used_ticks = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6];
}

/// Whether this CPU is kept slow on purpose. Where the hardware chooses the clock itself, the
/// governor "powersave" is the normal one, and a preference says what to save.
bool saves_power(const fs::path& cpufreq, bool& by_preference) {
    if (read_word(cpufreq / "scaling_governor") != "powersave") return false;
    const std::string preference = read_word(cpufreq / "energy_performance_preference");
    if (preference.empty()) return read_word(cpufreq / "scaling_driver") != "intel_pstate";
    if (preference != "power") return false;
    by_preference = true;
    return true;
}

}  // namespace

BrakeCounters operator-(const BrakeCounters& after, const BrakeCounters& before) {
    return {.counts_heat = after.counts_heat,
            .hot_events = grown(after.hot_events, before.hot_events),
            .hot_ms = grown(after.hot_ms, before.hot_ms),
            .quota_periods = grown(after.quota_periods, before.quota_periods),
            .quota_throttled = grown(after.quota_throttled, before.quota_throttled),
            .stolen_ticks = grown(after.stolen_ticks, before.stolen_ticks),
            .used_ticks = grown(after.used_ticks, before.used_ticks),
            .uptime_ms = grown(after.uptime_ms, before.uptime_ms)};
}

BrakeCounters read_brakes(const SystemRoots& roots) {
    BrakeCounters counters;
    add_heat(roots, counters);
    add_quota(roots, counters);
    add_stolen(roots, counters);
    counters.uptime_ms = read_number(roots.proc / "uptime").value_or(0) * 1000;
    return counters;
}

ClockLimits read_clock_limits(const SystemRoots& roots) {
    ClockLimits limits;
    for (const fs::path& cpu : kernel_files::cpu_folders(roots)) {
        const fs::path cpufreq = cpu / "cpufreq";
        const std::uint64_t most = read_number(cpufreq / "cpuinfo_max_freq").value_or(0);
        if (most == 0) continue;
        ++limits.n_cpus;
        if (saves_power(cpufreq, limits.by_preference)) ++limits.n_saving;
        const std::uint64_t allowed = read_number(cpufreq / "scaling_max_freq").value_or(most);
        const auto share = [](std::uint64_t part, std::uint64_t of) {
            return static_cast<double>(part) / static_cast<double>(of);
        };
        if (limits.max_khz == 0 ||
            share(allowed, most) < share(limits.allowed_khz, limits.max_khz)) {
            limits.max_khz = most;
            limits.allowed_khz = allowed;
        }
    }
    const fs::path cpus = roots.sys / "devices/system/cpu";
    limits.boost_off = read_number(cpus / "intel_pstate/no_turbo") == 1U ||
                       read_number(cpus / "cpufreq/boost") == 0U;
    return limits;
}

}  // namespace notso::ml
