// Choice of kernels, and cores and memory read from made-up /proc and /sys trees.
#include <gtest/gtest.h>

#include <fstream>

#include "ml/device/device_manager.hpp"
#include "ml/device/test_fixture.hpp"
#include "ml/kernels/avx512/table.hpp"

namespace notso::ml {
namespace {

TEST(ChooseKernels, TakesTheBestThatTheCpuHas) {
    CpuFeatures cpu;
    EXPECT_STREQ((*choose_kernels(cpu, std::nullopt))->name, "generic");
    cpu.avx2 = true;
    EXPECT_STREQ((*choose_kernels(cpu, std::nullopt))->name, "avx2");
    cpu.avx512 = true;
    EXPECT_STREQ((*choose_kernels(cpu, std::nullopt))->name, "avx2") << "VNNI is missing";
    cpu.avx_vnni = true;
    EXPECT_STREQ((*choose_kernels(cpu, std::nullopt))->name, "avxvnni");
    EXPECT_STREQ((*choose_kernels(cpu, "avx2"))->name, "avx2");
    cpu.avx512_vnni = true;
    EXPECT_STREQ((*choose_kernels(cpu, std::nullopt))->name, "avx512");
    EXPECT_EQ(*choose_kernels(cpu, std::nullopt), &kernels::avx512_table());
    cpu.avx512_bf16 = true;
    EXPECT_EQ(*choose_kernels(cpu, std::nullopt), &kernels::avx512_bf16_table());
    cpu.amx = true;
    EXPECT_STREQ((*choose_kernels(cpu, std::nullopt))->name, "amx");
    EXPECT_STREQ((*choose_kernels(cpu, "avx512"))->name, "avx512");
    EXPECT_STREQ((*choose_kernels(cpu, "generic"))->name, "generic");
}

/// What the system says.
std::string read_cpuinfo() {
    std::ifstream file("/proc/cpuinfo");
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(DetectCpu, KnowsAvxVnni) {
    const std::string text = read_cpuinfo();
    if (text.empty()) GTEST_SKIP() << "no /proc/cpuinfo";
    EXPECT_EQ(detect_cpu().avx_vnni, text.contains(" avx_vnni "));
}

TEST(DetectCpu, KnowsZen4) {
    const std::string text = read_cpuinfo();
    if (text.empty()) GTEST_SKIP() << "no /proc/cpuinfo";
    const bool is_family_25 = text.contains("AuthenticAMD") && text.contains("cpu family\t: 25\n");
    EXPECT_EQ(detect_cpu().few_l1_misses, is_family_25 && text.contains(" avx512bw "));
}

TEST(ChooseKernels, ReadThroughTheL2CacheWhereTheL1CacheWaitsForFewLines) {
    CpuFeatures cpu;
    cpu.avx2 = cpu.avx512 = cpu.avx512_vnni = cpu.avx512_bf16 = true;
    for (const bool few : {false, true}) {
        cpu.few_l1_misses = few;
        for (const char* name : {"avx2", "avx512"}) {
            const kernels::KernelTable& table = **choose_kernels(cpu, name);
            EXPECT_STREQ(table.name, name);
            EXPECT_EQ(table.into_l2, few);
        }
    }
}

TEST(ChooseKernels, RefusesWhatIsNotThereByName) {
    CpuFeatures cpu;
    cpu.avx2 = true;
    const auto missing = choose_kernels(cpu, "avx512");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(missing.error().detail.find("it has: avx2"), std::string::npos)
        << missing.error().detail;
    EXPECT_EQ(choose_kernels(cpu, "avxvnni").error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(choose_kernels(cpu, "amx").error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(choose_kernels(cpu, "sse9").error().code, ErrorCode::kInvalidArgument);
}

class Resources : public SystemTree {
  protected:
    void SetUp() override {
        SystemTree::SetUp();
        write("proc/meminfo", "MemTotal:  8000000 kB\nMemFree:  1 kB\nMemAvailable:  4000000 kB\n");
    }
};

TEST_F(Resources, WithoutControlGroupsTheMachineCounts) {
    const MemoryInfo memory = read_memory(roots());
    EXPECT_EQ(memory.total_bytes, 8000000ull * 1024);
    EXPECT_EQ(memory.available_bytes, 4000000ull * 1024);
    const CoreCount cores = count_cores(roots());
    EXPECT_EQ(cores.usable, cores.logical);
}

TEST_F(Resources, Version2LimitsOfEveryParentCount) {
    write("proc/self/cgroup", "0::/outer/inner\n");
    write("sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n");
    write("sys/fs/cgroup/outer/cpu.max", "50000 100000\n");
    write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
    write("sys/fs/cgroup/outer/inner/memory.current", "5\n");
    write("sys/fs/cgroup/outer/memory.max", "1000000\n");
    write("sys/fs/cgroup/outer/memory.current", "700000\n");
    write("sys/fs/cgroup/outer/memory.stat",
          "anon 1\nfile 300000\ninactive_file 60000\nactive_file 40000\n");
    EXPECT_EQ(count_cores(roots()).usable, 1);
    const MemoryInfo memory = read_memory(roots());
    EXPECT_EQ(memory.total_bytes, 1000000u);
    EXPECT_EQ(memory.available_bytes, 400000u);
}

TEST_F(Resources, Version1LimitsCount) {
    write("proc/self/cgroup", "4:memory:/box\n3:cpu,cpuacct:/box\n");
    write("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "100000\n");
    write("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
    write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "2000000\n");
    write("sys/fs/cgroup/memory/box/memory.usage_in_bytes", "2500000\n");
    EXPECT_EQ(count_cores(roots()).usable, 1);
    EXPECT_EQ(read_memory(roots()).available_bytes, 0u);
}

TEST_F(Resources, TheSmallestQuotaOfAllParentsCountsAlsoAsAFraction) {
    write("proc/self/cgroup", "0::/a/b/c\n");
    EXPECT_EQ(count_cores(roots()).quota, 0);
    write("sys/fs/cgroup/a/b/c/cpu.max", "250000 100000\n");
    write("sys/fs/cgroup/a/b/cpu.max", "50000 200000\n");
    write("sys/fs/cgroup/a/cpu.max", "max 100000\n");
    EXPECT_EQ(count_cores(roots()).quota, 0.25);
    EXPECT_EQ(count_cores(roots()).usable, 1);
    write("proc/self/cgroup", "2:cpuacct,cpu:/x/y\n0::/a/b/c\n");
    write("sys/fs/cgroup/cpu/x/y/cpu.cfs_quota_us", "-1\n");
    write("sys/fs/cgroup/cpu/x/y/cpu.cfs_period_us", "100000\n");
    write("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "150000\n");
    write("sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
    EXPECT_EQ(count_cores(roots()).quota, 1.5) << "version 1 has the controller";
}

TEST_F(Resources, AGroupOutsideTheNamespaceIsNotLookedFor) {
    write("proc/self/cgroup", "0::/../secret\n");
    write("sys/fs/secret/cpu.max", "1000 100000\n");
    EXPECT_EQ(count_cores(roots()).quota, 0);
    write("sys/fs/cgroup/cpu.max", "50000 100000\n");
    EXPECT_EQ(count_cores(roots()).quota, 0.5) << "the namespace's own root";
}

TEST_F(Resources, ListsOfCpusAreCounted) {
    for (const auto& [list, count] : {std::pair("0-3,8,10-11\n", 7),
                                      {"0\n", 1},
                                      {"", 0},
                                      {"x,2", 1},
                                      {"3-1", 0},
                                      {"0-", 1},
                                      {"-1", 0},
                                      {"0-99999999999", 1},
                                      {"0-65535,0-65535", 65536}})
        EXPECT_EQ(cpus_of_list(list), count) << list;
    write("sys/devices/system/cpu/online", "0-6\n");
    EXPECT_EQ(count_cores(roots()).online, 7);
}

TEST_F(Resources, UnreadableMemoryLimitsNothing) {
    std::filesystem::remove_all(root_ / "proc");
    EXPECT_GT(read_memory(roots()).available_bytes, std::uint64_t{1} << 60);
    EXPECT_GT(read_memory().available_bytes, std::uint64_t{1} << 20) << "of this machine";
}

TEST_F(Resources, MoreThreadsThanCpusAreNotGiven) {
    const CoreCount cores{.logical = 8, .physical = 4, .usable = 3};
    EXPECT_EQ(choose_threads(0, cores), 3);
    EXPECT_EQ(choose_threads(6, cores), 6);
    EXPECT_EQ(choose_threads(9, cores), 8);
}

TEST_F(Resources, HyperThreadsCountOnce) {
    if (count_cores(roots()).logical < 2) GTEST_SKIP() << "needs two CPUs";
    for (int cpu = 0; cpu < 1024; ++cpu) {
        write(fmt::format("sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu),
              "0-1023\n");
    }
    EXPECT_EQ(count_cores(roots()).physical, 1);
}

TEST_F(Resources, NonsenseInTheFilesChangesNothing) {
    write("proc/self/cgroup", "garbage\n0::/x\n:::\n");
    write("sys/fs/cgroup/x/cpu.max", "-5 0\n");
    write("sys/fs/cgroup/x/memory.max", "lots\n");
    const CoreCount cores = count_cores(roots());
    EXPECT_EQ(cores.usable, cores.physical);
    EXPECT_EQ(read_memory(roots()).available_bytes, 4000000ull * 1024);
}

TEST_F(Resources, FoldersAndEndlessFilesInPlaceOfFilesChangeNothing) {
    std::filesystem::create_directories(root_ / "proc/self/cgroup");
    std::filesystem::create_directories(root_ / "sys/devices/system/cpu");
    std::filesystem::create_symlink("/dev/zero", root_ / "sys/devices/system/cpu/online");
    const CoreCount cores = count_cores(roots());
    EXPECT_EQ(cores.quota, 0);
    EXPECT_EQ(cores.online, 0);
    EXPECT_LE(kernel_files::read_text("/dev/zero").size(), std::size_t{2} << 20);
}

}  // namespace
}  // namespace notso::ml
