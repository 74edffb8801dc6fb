// Choice of kernels, and cores and memory read from made-up /proc and /sys trees.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "ml/device/device_manager.hpp"

namespace notso::ml {
namespace {

namespace fs = std::filesystem;

TEST(ChooseKernels, TakesTheBestThatTheCpuHas) {
    CpuFeatures cpu;
    EXPECT_STREQ((*choose_kernels(cpu, std::nullopt))->name, "generic");
    cpu.avx2 = true;
    EXPECT_STREQ((*choose_kernels(cpu, std::nullopt))->name, "avx2");
    cpu.avx512 = true;
    EXPECT_STREQ((*choose_kernels(cpu, std::nullopt))->name, "avx2") << "VNNI is missing";
    cpu.avx512_vnni = true;
    EXPECT_STREQ((*choose_kernels(cpu, std::nullopt))->name, "avx512");
    EXPECT_STREQ((*choose_kernels(cpu, "generic"))->name, "generic");
}

TEST(ChooseKernels, RefusesWhatIsNotThereByName) {
    CpuFeatures cpu;
    cpu.avx2 = true;
    const auto missing = choose_kernels(cpu, "avx512");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(missing.error().detail.find("it has: avx2"), std::string::npos)
        << missing.error().detail;
    EXPECT_EQ(choose_kernels(cpu, "amx").error().code, ErrorCode::kUnsupported);
    EXPECT_EQ(choose_kernels(cpu, "sse9").error().code, ErrorCode::kInvalidArgument);
}

class Resources : public testing::Test {
  protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "notso_device_XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        root_ = name;
        write("proc/meminfo", "MemTotal:  8000000 kB\nMemFree:  1 kB\nMemAvailable:  4000000 kB\n");
    }
    void TearDown() override { fs::remove_all(root_); }

    void write(const std::string& path, const std::string& text) {
        fs::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path) << text;
    }
    SystemRoots roots() const { return {root_ / "proc", root_ / "sys"}; }

    fs::path root_;
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

TEST_F(Resources, UnreadableMemoryLimitsNothing) {
    fs::remove_all(root_ / "proc");
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

}  // namespace
}  // namespace notso::ml
