// The two readers, on copies of the kernel's files.
#include "ml/device/system_state.hpp"

#include <gtest/gtest.h>

#include <fstream>

namespace notso::ml {
namespace {

class SystemState : public ::testing::Test {
  protected:
    void SetUp() override {
        root_ = std::filesystem::path(::testing::TempDir()) /
                ::testing::UnitTest::GetInstance()->current_test_info()->name();
        std::filesystem::remove_all(root_);
        std::filesystem::create_directories(root_ / "sys/kernel/mm/transparent_hugepage");
        std::filesystem::create_directories(root_ / "proc");
    }
    void TearDown() override { std::filesystem::remove_all(root_); }

    void write(const char* name, const char* text) const { std::ofstream(root_ / name) << text; }
    SystemRoots roots() const { return {root_ / "proc", root_ / "sys"}; }

    std::filesystem::path root_;
};

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
