// The doctor's verdicts on machines of every kind: what is wrong, and what to type.
#include "app/doctor/machine_checks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace notso::app::doctor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

void expect_fine(const Check& check) {
    EXPECT_EQ(check.verdict, Verdict::kOk) << check.detail;
    EXPECT_THAT(check.advice, IsEmpty());
    EXPECT_FALSE(check.detail.empty());
}

void expect_warning(const Check& check, const char* detail, const char* advice) {
    EXPECT_EQ(check.verdict, Verdict::kWarning) << check.detail;
    EXPECT_THAT(check.detail, HasSubstr(detail));
    EXPECT_THAT(check.advice, HasSubstr(advice));
}

TEST(DoctorProcessor, SaysWhyTheKernelsAreSlow) {
    ml::CpuFeatures cpu{.name = "Chip"};
    expect_warning(check_processor(cpu, "generic", false), "no AVX2", "AVX2");
    cpu.avx2 = true;
    expect_warning(check_processor(cpu, "avx2", false), "no VNNI", "half the speed");
    expect_warning(check_processor(cpu, "avx2", true), "no VNNI", "half the speed");
    expect_warning(check_processor(cpu, "generic", true), "NOTSO_ISA", "unset NOTSO_ISA");
    cpu.avx512 = true;
    expect_warning(check_processor(cpu, "avx2", false), "AVX-512 without VNNI", "half the speed");
    cpu.avx_vnni = true;
    expect_warning(check_processor(cpu, "avx2", true), "NOTSO_ISA", "unset NOTSO_ISA");
    expect_fine(check_processor(cpu, "avxvnni", false));
    cpu.avx_vnni = false;
    cpu.avx512_vnni = true;
    expect_warning(check_processor(cpu, "avx2", true), "NOTSO_ISA", "unset NOTSO_ISA");
    expect_fine(check_processor(cpu, "avx512", false));
    expect_fine(check_processor(cpu, "avx512", true));
}

TEST(DoctorCores, SaysWhyFewThreadsCompute) {
    ml::CoreCount cores{.logical = 8, .physical = 4, .usable = 4, .online = 8};
    expect_fine(check_cores(cores, 0));
    expect_fine(check_cores(cores, 4));
    expect_warning(check_cores(cores, 1), "1 used", "leave out --threads");
    expect_warning(check_cores(cores, 3), "3 used", "say 4");
    expect_warning(check_cores(cores, 9), "8 used", "4 is best");
    cores.usable = 1;
    expect_warning(check_cores(cores, 0), "one core", "cpu limit");
    cores = {.logical = 1, .physical = 1, .usable = 1, .online = 1};
    expect_warning(check_cores(cores, 0), "one core", "another machine");
    expect_fine(check_affinity(cores));
    cores.online = 0;
    expect_fine(check_affinity(cores));
    cores.online = 4;
    expect_warning(check_affinity(cores), "1 of 4 CPUs", "taskset -c 0-3");
}

TEST(DoctorQuota, WarnsOfALimitBelowTheCoresAndOfStops) {
    ml::CoreCount cores{.logical = 4, .physical = 4, .usable = 4, .online = 4};
    expect_fine(check_quota(cores, {}));
    cores.quota = 4;
    expect_fine(check_quota(cores, {}));
    expect_warning(check_quota(cores, {.quota_periods = 4, .quota_throttled = 2}),
                   "stopped in 2 of 4 periods",
                   "CPUQuota=400%");
    cores.quota = 1.5;
    expect_warning(check_quota(cores, {}), "1.50 CPUs' time of 4 cores", "--cpus 4");
    expect_warning(check_quota(cores, {.quota_throttled = 3}), "3 of 3 periods", "--cpus 4");
}

TEST(DoctorClock, WarnsOfSavingAndOfLimits) {
    expect_fine(check_clock({}));
    ml::ClockLimits clock{.n_cpus = 4, .max_khz = 4'000'000, .allowed_khz = 4'000'000};
    expect_fine(check_clock(clock));
    clock.boost_off = true;
    expect_warning(check_clock(clock), "boost is turned off", "no_turbo");
    clock.allowed_khz = 2'000'000;
    expect_warning(check_clock(clock), "held at 2.00 GHz", "echo 4000000 | sudo tee");
    clock.n_saving = 4;
    expect_warning(check_clock(clock), "4 of 4 CPUs", "scaling_governor");
    clock.by_preference = true;
    expect_warning(check_clock(clock), "4 of 4 CPUs", "energy_performance_preference");
}

TEST(DoctorHeat, WarnsOfHeatNowAndOfMuchBefore) {
    expect_fine(check_heat({}, {}));
    ml::BrakeCounters total{.counts_heat = true, .uptime_ms = 1'000'000};
    expect_fine(check_heat(total, {}));
    total.hot_events = 3;
    total.hot_ms = 500;
    expect_fine(check_heat(total, {}));
    expect_warning(check_heat(total, {.hot_events = 1}), "1 times just now", "fans");
    total.hot_ms = 20'000;
    expect_warning(check_heat(total, {}), "3 times since", "fans");
    total.uptime_ms = 0;
    expect_fine(check_heat(total, {}));
}

TEST(DoctorStolenTime, WarnsOfAShareNowOrSinceTheStart) {
    expect_fine(check_stolen({}, {}));
    expect_fine(check_stolen({.stolen_ticks = 10, .used_ticks = 1000}, {.stolen_ticks = 3}));
    expect_warning(check_stolen({.stolen_ticks = 10, .used_ticks = 1000},
                                {.stolen_ticks = 20, .used_ticks = 60}),
                   "25 % just now",
                   "dedicated cores");
    expect_warning(
        check_stolen({.stolen_ticks = 10, .used_ticks = 90}, {}), "10.0 % since", "try again");
}

TEST(DoctorMemory, WarnsOfLittleOfSwapAndOfSmallPages) {
    constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
    expect_fine(check_memory({.total_bytes = 8 * kGiB, .available_bytes = kGiB}));
    expect_warning(check_memory({.total_bytes = 8 * kGiB, .available_bytes = kGiB / 4}),
                   "256.0 MiB free",
                   "close other programs");
    expect_fine(check_swap({}));
    expect_fine(check_swap({.total_bytes = kGiB, .used_bytes = kGiB / 8}));
    expect_warning(
        check_swap({.total_bytes = kGiB, .used_bytes = kGiB / 2}), "512.0 MiB", "swapoff");
    expect_fine(check_large_pages(ml::HugePages::kOnRequest));
    expect_warning(check_large_pages(ml::HugePages::kNever), "turned off", "echo madvise");
    expect_fine(check_model_pages(std::nullopt, kGiB));
    expect_fine(check_model_pages(kGiB / 2, kGiB));
    expect_warning(check_model_pages(kGiB / 4, kGiB), "256.0 MiB of large", "compact_memory");
}

}  // namespace
}  // namespace notso::app::doctor
