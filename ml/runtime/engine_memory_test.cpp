// The context length that memory allows, and where the numbers come from.
#include "ml/runtime/engine_memory.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace notso::ml {
namespace {

constexpr std::uint64_t kMiB = 1U << 20;

TEST(ContextLength, DefaultIsBoundedByModelMemoryAnd8192) {
    EXPECT_EQ(choose_context_length({0, 65'536, 1024, 1024 * kMiB}).value(), 8192);
    EXPECT_EQ(choose_context_length({0, 2048, 1024, 1024 * kMiB}).value(), 2048);
    EXPECT_EQ(choose_context_length({0, 65'536, kMiB, 1000 * kMiB}).value(), 500)
        << "half of what is free";
    EXPECT_EQ(choose_context_length({0, 64, 1024, 1024 * kMiB}).value(), 64);
}

TEST(ContextLength, WhatIsAskedForIsGivenOrRefusedWithNumbers) {
    EXPECT_EQ(choose_context_length({16'384, 65'536, 1024, 1024 * kMiB}).value(), 16'384);
    EXPECT_EQ(choose_context_length({900, 65'536, kMiB, 1000 * kMiB}).value(), 900);
    const auto too_big = choose_context_length({2000, 65'536, kMiB, 1000 * kMiB});
    ASSERT_FALSE(too_big);
    EXPECT_EQ(too_big.error().code, ErrorCode::kOutOfMemory);
    EXPECT_NE(too_big.error().detail.find("2000 MiB, only 1000 MiB"), std::string::npos)
        << too_big.error().detail;
    EXPECT_EQ(choose_context_length({0, 65'536, kMiB, 100 * kMiB}).error().code,
              ErrorCode::kOutOfMemory);
    EXPECT_EQ(choose_context_length({8193, 8192, 1, kMiB}).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(choose_context_length({-1, 8192, 1, kMiB}).error().code, ErrorCode::kInvalidArgument);
}

class MemoryFiles : public testing::Test {
  protected:
    MemoryFiles()
        : root_(std::filesystem::temp_directory_path() / fmt::format("notso-memory-{}", getpid())) {
        std::filesystem::create_directories(root_ / "proc");
        std::filesystem::create_directories(root_ / "sys/fs/cgroup");
    }
    ~MemoryFiles() override { std::filesystem::remove_all(root_); }
    void write(const std::string& file, const std::string& text) const {
        std::ofstream(root_ / file) << text;
    }

    std::filesystem::path root_;
};

TEST_F(MemoryFiles, TheTighterOfSystemAndControlGroupCounts) {
    write("proc/meminfo", "MemTotal: 900 kB\nMemFree: 5 kB\nMemAvailable:   400 kB\n");
    EXPECT_EQ(available_memory_bytes(root_), 400U * 1024);
    write("sys/fs/cgroup/memory.max", "max\n");
    write("sys/fs/cgroup/memory.current", "1000\n");
    EXPECT_EQ(available_memory_bytes(root_), 400U * 1024);
    write("sys/fs/cgroup/memory.max", "5000\n");
    EXPECT_EQ(available_memory_bytes(root_), 4000U);
    write("sys/fs/cgroup/memory.stat", "anon 100\nfile 900\n");
    EXPECT_EQ(available_memory_bytes(root_), 4900U);
    write("sys/fs/cgroup/memory.current", "9000\n");
    EXPECT_EQ(available_memory_bytes(root_), 0U) << "never wraps";
}

TEST_F(MemoryFiles, UnreadableMeansUnlimited) {
    EXPECT_EQ(available_memory_bytes(root_), std::numeric_limits<std::uint64_t>::max());
    EXPECT_GT(available_memory_bytes(), 1U << 20);
}

}  // namespace
}  // namespace notso::ml
