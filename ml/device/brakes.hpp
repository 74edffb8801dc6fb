// What holds the processor back while it works: heat, a control group's quota, a hypervisor that
// gives the core to others, a clock that is kept low. Read from /proc and /sys; zeros where they
// do not say.
#pragma once

#include <cstdint>

#include "ml/device/kernel_files.hpp"

namespace notso::ml {

/// Counters since the machine or the control group began. Two readings with work in between tell
/// what happens now.
struct BrakeCounters {
    bool counts_heat = false;           ///< The system counts at all; virtual ones do not.
    std::uint64_t hot_events = 0;       ///< Times that heat or power slowed a core down, summed.
    std::uint64_t hot_ms = 0;           ///< Time so slowed, of the core that has most.
    std::uint64_t quota_periods = 0;    ///< Accounting periods (100 ms as a rule), all groups.
    std::uint64_t quota_throttled = 0;  ///< Those in which the quota ran out.
    std::uint64_t stolen_ticks = 0;     ///< Wanted by this machine, given to another one.
    std::uint64_t used_ticks = 0;       ///< Used by this machine.
    std::uint64_t uptime_ms = 0;
};

/// What happened from `before` to `after`; counters that went back count as zero.
BrakeCounters operator-(const BrakeCounters& after, const BrakeCounters& before);

BrakeCounters read_brakes(const SystemRoots& roots = {});

/// How the clock is governed, over all CPUs.
struct ClockLimits {
    std::int32_t n_cpus = 0;        ///< CPUs that tell; 0 in most virtual machines.
    std::int32_t n_saving = 0;      ///< Those kept slow to save power.
    bool by_preference = false;     ///< By energy_performance_preference, not by scaling_governor.
    std::uint64_t max_khz = 0;      ///< Of the CPU that is limited most: what it could do,
    std::uint64_t allowed_khz = 0;  ///< and what it may do.
    bool boost_off = false;
};

ClockLimits read_clock_limits(const SystemRoots& roots = {});

}  // namespace notso::ml
