// The two readers, on copies of the kernel's files.
#include "ml/device/system_state.hpp"

#include <gtest/gtest.h>

#include "ml/device/test_fixture.hpp"

namespace notso::ml {
namespace {

using SystemState = SystemTree;

TEST_F(SystemState, HugePagesAreTheBracketedWord) {
    EXPECT_EQ(read_huge_pages(roots()), HugePages::kUnknown);
    constexpr const char* kFile = "sys/kernel/mm/transparent_hugepage/enabled";
    write(kFile, "always madvise [never]\n");
    EXPECT_EQ(read_huge_pages(roots()), HugePages::kNever);
    write(kFile, "always [madvise] never\n");
    EXPECT_EQ(read_huge_pages(roots()), HugePages::kOnRequest);
    write(kFile, "[always] madvise never\n");
    EXPECT_EQ(read_huge_pages(roots()), HugePages::kAlways);
}

TEST_F(SystemState, HugeBytesAreWhatTheProcessHas) {
    EXPECT_FALSE(read_huge_bytes(roots()));
    write("proc/self/smaps_rollup",
          "55d0-7ffe ---p [rollup]\nRss: 9 kB\nAnonHugePages:    4096 kB\n");
    EXPECT_EQ(read_huge_bytes(roots()), 4U << 20);
    write("proc/self/smaps_rollup", "AnonHugePages: many kB\nAnonHugePages:\n");
    EXPECT_FALSE(read_huge_bytes(roots()));
}

TEST_F(SystemState, SwapCountsWhatIsUsed) {
    EXPECT_EQ(read_swap(roots()).total_bytes, 0U);
    write("proc/meminfo", "MemTotal: 99 kB\nSwapTotal:  1000 kB\nSwapFree:    400 kB\n");
    EXPECT_EQ(read_swap(roots()).total_bytes, 1000U * 1024);
    EXPECT_EQ(read_swap(roots()).used_bytes, 600U * 1024);
    write("proc/meminfo", "SwapTotal: 5 kB\nSwapFree: 9 kB\n");
    EXPECT_EQ(read_swap(roots()).used_bytes, 0U);
}

}  // namespace
}  // namespace notso::ml
