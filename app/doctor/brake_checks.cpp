// What holds the processor back: a quota, heat, a low clock, a hypervisor.
#include <algorithm>

#include "app/doctor/machine_checks.hpp"

namespace notso::app::doctor {
namespace {

constexpr double kMuchStolen = 0.05;
constexpr std::uint64_t kFewTicks = 4;  // of 10 ms: less is chance
constexpr double kMuchHeat = 0.01;      // of the time since the start
constexpr double kLowClock = 0.95;

double share(std::uint64_t part, std::uint64_t of) {
    return of == 0 ? 0 : static_cast<double>(part) / static_cast<double>(of);
}

double stolen_share(const ml::BrakeCounters& counters) {
    return share(counters.stolen_ticks, counters.stolen_ticks + counters.used_ticks);
}

}  // namespace

Check check_quota(const ml::CoreCount& cores, const ml::BrakeCounters& busy) {
    Check check{.name = "cpu limit"};
    check.facts = {{"cpus", cores.quota},
                   {"periods", busy.quota_periods},
                   {"periods_stopped", busy.quota_throttled}};
    const bool tight = cores.quota > 0 && cores.quota < cores.physical;
    check.detail =
        cores.quota > 0
            ? fmt::format("the container or service may use {:.2f} CPUs' time", cores.quota)
            : "none by a container or service";
    if (busy.quota_throttled > 0)
        check.detail += fmt::format("; it was stopped in {} of {} periods just now",
                                    busy.quota_throttled,
                                    std::max(busy.quota_throttled, busy.quota_periods));
    else if (tight)
        check.detail += fmt::format(" of {} cores", cores.physical);
    if (!tight && busy.quota_throttled == 0) return check;
    check.verdict = Verdict::kWarning;
    check.advice = fmt::format(
        "once the time is used up, everything waits: allow {0} CPUs (docker update --cpus {0} "
        "NAME; systemctl set-property NAME CPUQuota={1}%; limits.cpu in Kubernetes)",
        cores.physical,
        cores.physical * 100);
    return check;
}

Check check_clock(const ml::ClockLimits& limits) {
    Check check{.name = "clock"};
    const auto ghz = [](std::uint64_t khz) { return static_cast<double>(khz) / 1e6; };
    check.facts = {{"cpus", limits.n_cpus},
                   {"cpus_saving_power", limits.n_saving},
                   {"max_khz", limits.max_khz},
                   {"allowed_khz", limits.allowed_khz},
                   {"boost_off", limits.boost_off}};
    if (limits.n_cpus == 0) {
        check.detail = "not told here, as in most virtual machines";
        return check;
    }
    check.detail = fmt::format("up to {:.2f} GHz", ghz(limits.allowed_khz));
    check.verdict = Verdict::kWarning;
    if (limits.n_saving > 0) {
        check.detail = fmt::format(
            "{} of {} CPUs are kept slow to save power", limits.n_saving, limits.n_cpus);
        check.advice = fmt::format(
            "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/{}",
            limits.by_preference ? "energy_performance_preference" : "scaling_governor");
    } else if (share(limits.allowed_khz, limits.max_khz) < kLowClock) {
        check.detail = fmt::format(
            "held at {:.2f} GHz, the processor can do {:.2f}: prompts are "
            "read that much slower",
            ghz(limits.allowed_khz),
            ghz(limits.max_khz));
        check.advice =
            fmt::format("echo {} | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_max_freq",
                        limits.max_khz);
    } else if (limits.boost_off) {
        check.detail += ", its boost is turned off: prompts are read slower";
        check.advice =
            "echo 1 | sudo tee /sys/devices/system/cpu/cpufreq/boost, or with Intel: echo 0 | sudo "
            "tee /sys/devices/system/cpu/intel_pstate/no_turbo; else look in the firmware's setup";
    } else {
        check.verdict = Verdict::kOk;
    }
    return check;
}

Check check_heat(const ml::BrakeCounters& total, const ml::BrakeCounters& busy) {
    Check check{.name = "heat"};
    check.facts = {{"counted", total.counts_heat},
                   {"events", total.hot_events},
                   {"events_now", busy.hot_events},
                   {"share_of_uptime", share(total.hot_ms, total.uptime_ms)}};
    if (!total.counts_heat) {
        check.detail = "not counted here, as in most virtual machines";
        return check;
    }
    if (total.hot_events == 0) {
        check.detail = "has not slowed the processor down since the machine started";
        return check;
    }
    check.detail = fmt::format(
        "slowed the processor down {} times since the machine started, {} "
        "times just now",
        total.hot_events,
        busy.hot_events);
    if (busy.hot_events == 0 && share(total.hot_ms, total.uptime_ms) < kMuchHeat) return check;
    check.verdict = Verdict::kWarning;
    check.advice =
        "a hot processor lowers its clock: clean the fans, give the machine air, plug it in; "
        "`-t` with half the cores makes less heat";
    return check;
}

Check check_stolen(const ml::BrakeCounters& total, const ml::BrakeCounters& busy) {
    Check check{.name = "stolen time"};
    const bool much_now = busy.stolen_ticks >= kFewTicks && stolen_share(busy) >= kMuchStolen;
    check.facts = {{"share_now", stolen_share(busy)}, {"share_since_start", stolen_share(total)}};
    check.detail = total.stolen_ticks == 0
                       ? "none: nobody else gets this machine's processor time"
                       : fmt::format("{:.0f} % just now, {:.1f} % since the machine started",
                                     stolen_share(busy) * 100,
                                     stolen_share(total) * 100);
    if (!much_now && stolen_share(total) < kMuchStolen) return check;
    check.verdict = Verdict::kWarning;
    check.advice =
        "the host gives this virtual machine's processor to others: try again later, or choose a "
        "machine with dedicated cores (no burst or shared type)";
    return check;
}

}  // namespace notso::app::doctor
