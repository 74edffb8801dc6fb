// What holds the processor back, read from made-up /proc and /sys trees.
#include "ml/device/brakes.hpp"

#include "ml/device/test_fixture.hpp"

namespace notso::ml {
namespace {

using Brakes = SystemTree;

constexpr const char* kCpu0 = "sys/devices/system/cpu/cpu0/";
constexpr const char* kCpu1 = "sys/devices/system/cpu/cpu1/";

TEST_F(Brakes, WhatIsNotThereCountsAsZero) {
    const BrakeCounters counters = read_brakes(roots());
    EXPECT_FALSE(counters.counts_heat);
    EXPECT_EQ(counters.hot_events + counters.quota_throttled + counters.used_ticks, 0U);
    const ClockLimits clock = read_clock_limits(roots());
    EXPECT_EQ(clock.n_cpus, 0);
    EXPECT_FALSE(clock.boost_off);
}

TEST_F(Brakes, HeatIsCountedOverCores) {
    write(std::string(kCpu0) + "thermal_throttle/core_throttle_count", "0\n");
    EXPECT_TRUE(read_brakes(roots()).counts_heat);
    write(std::string(kCpu0) + "thermal_throttle/package_throttle_count", "3\n");
    write(std::string(kCpu1) + "thermal_throttle/core_throttle_count", "4\n");
    write(std::string(kCpu1) + "thermal_throttle/core_throttle_total_time_ms", "90\n");
    write("sys/devices/system/cpu/cpufreq/thermal_throttle/core_throttle_count", "100\n");
    const BrakeCounters counters = read_brakes(roots());
    EXPECT_EQ(counters.hot_events, 7U);
    EXPECT_EQ(counters.hot_ms, 90U);
}

TEST_F(Brakes, ThrottlingOfEveryParentGroupCounts) {
    write("proc/self/cgroup", "0::/outer/inner\n");
    write("sys/fs/cgroup/outer/inner/cpu.stat", "usage_usec 5\nnr_periods 0\nnr_throttled 0\n");
    write("sys/fs/cgroup/outer/cpu.stat", "nr_periods 9\nnr_throttled 2\nthrottled_usec 12\n");
    EXPECT_EQ(read_brakes(roots()).quota_periods, 9U);
    EXPECT_EQ(read_brakes(roots()).quota_throttled, 2U);
    write("proc/self/cgroup", "1:cpu:/box\n0::/outer/inner\n");
    write("sys/fs/cgroup/cpu/box/cpu.stat", "nr_periods 4\nnr_throttled 3\nthrottled_time 7\n");
    EXPECT_EQ(read_brakes(roots()).quota_throttled, 3U);
}

TEST_F(Brakes, StolenTimeIsTheEighthNumberOfTheFirstLine) {
    write("proc/stat", "cpu  10 20 30 1000 50 1 2 7 5 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n");
    write("proc/uptime", "12.34 5.00\n");
    const BrakeCounters counters = read_brakes(roots());
    EXPECT_EQ(counters.stolen_ticks, 7U);
    EXPECT_EQ(counters.used_ticks, 63U);
    EXPECT_EQ(counters.uptime_ms, 12000U);
}

TEST_F(Brakes, NonsenseInTheFilesCountsAsZero) {
    const std::string heat = std::string(kCpu0) + "thermal_throttle/core_throttle_count";
    for (const char* text : {"", "-3", "lots", "99999999999999999999999", "\xff\xfe", "\n\n\n"}) {
        write(heat, text);
        write("proc/self/cgroup", "0::/x\n");
        write("sys/fs/cgroup/x/cpu.stat", std::string("nr_throttled ") + text + "\nnr_periods");
        write("proc/stat", std::string("cpu ") + text + " 1 2");
        write("proc/uptime", text);
        write(std::string(kCpu1) + "cpufreq/cpuinfo_max_freq", text);
        const BrakeCounters counters = read_brakes(roots());
        EXPECT_EQ(counters.hot_events + counters.quota_throttled + counters.stolen_ticks, 0U)
            << text;
        EXPECT_EQ(read_clock_limits(roots()).n_cpus, 0) << text;
    }
}

TEST_F(Brakes, CountersThatGoBackCountAsZero) {
    const BrakeCounters before{.hot_events = 5, .quota_throttled = 2, .stolen_ticks = 100};
    const BrakeCounters after{.hot_events = 4, .quota_throttled = 9, .stolen_ticks = 100};
    const BrakeCounters now = after - before;
    EXPECT_EQ(now.hot_events, 0U);
    EXPECT_EQ(now.quota_throttled, 7U);
    EXPECT_EQ(now.stolen_ticks, 0U);
}

class Clock : public SystemTree {
  protected:
    void cpu(const char* folder, const std::string& allowed, const std::string& most) const {
        write(std::string(folder) + "cpufreq/cpuinfo_max_freq", most);
        write(std::string(folder) + "cpufreq/scaling_max_freq", allowed);
        write(std::string(folder) + "cpufreq/scaling_governor", "powersave\n");
        write(std::string(folder) + "cpufreq/scaling_driver", "acpi-cpufreq\n");
    }
    void preference(const char* folder, const char* text) const {
        write(std::string(folder) + "cpufreq/energy_performance_preference", text);
    }
};

TEST_F(Clock, TheCpuThatIsLimitedMostIsReported) {
    cpu(kCpu0, "2000000\n", "2000000\n");  // an efficiency core at its best
    cpu(kCpu1, "3000000\n", "4000000\n");
    const ClockLimits limits = read_clock_limits(roots());
    EXPECT_EQ(limits.n_cpus, 2);
    EXPECT_EQ(limits.max_khz, 4000000U);
    EXPECT_EQ(limits.allowed_khz, 3000000U);
}

TEST_F(Clock, PowersaveIsSlowOnlyWhereTheHardwareDoesNotChoose) {
    cpu(kCpu0, "1\n", "1\n");
    cpu(kCpu1, "1\n", "1\n");
    EXPECT_EQ(read_clock_limits(roots()).n_saving, 2);
    preference(kCpu0, "power\n");
    preference(kCpu1, "balance_performance\n");
    EXPECT_EQ(read_clock_limits(roots()).n_saving, 1);
    EXPECT_TRUE(read_clock_limits(roots()).by_preference);
    preference(kCpu0, "balance_power\n");
    EXPECT_EQ(read_clock_limits(roots()).n_saving, 0);
    std::filesystem::remove(root_ / (std::string(kCpu0) + "cpufreq/energy_performance_preference"));
    write(std::string(kCpu0) + "cpufreq/scaling_driver", "intel_pstate\n");
    EXPECT_EQ(read_clock_limits(roots()).n_saving, 0) << "an older one, without preferences";
}

TEST_F(Clock, BoostCanBeOffInTwoPlaces) {
    write("sys/devices/system/cpu/cpufreq/boost", "1\n");
    EXPECT_FALSE(read_clock_limits(roots()).boost_off);
    write("sys/devices/system/cpu/cpufreq/boost", "0\n");
    EXPECT_TRUE(read_clock_limits(roots()).boost_off);
    write("sys/devices/system/cpu/cpufreq/boost", "1\n");
    write("sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
    EXPECT_TRUE(read_clock_limits(roots()).boost_off);
}

}  // namespace
}  // namespace notso::ml
