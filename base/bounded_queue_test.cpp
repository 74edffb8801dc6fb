#include "base/bounded_queue.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace notso {
namespace {

TEST(BoundedQueue, RefusesWhenFullAndLeavesTheItemAlone) {
    BoundedQueue<std::unique_ptr<int>> queue(1);
    EXPECT_TRUE(queue.try_push(std::make_unique<int>(1)));
    auto second = std::make_unique<int>(2);
    EXPECT_FALSE(queue.try_push(std::move(second)));
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(**queue.pop(), 1);
    EXPECT_TRUE(queue.try_push(std::move(second)));
}

TEST(BoundedQueue, DrainsAfterCloseThenEnds) {
    BoundedQueue<int> queue(4);
    EXPECT_TRUE(queue.try_push(7));
    queue.close();
    EXPECT_FALSE(queue.try_push(8));
    EXPECT_EQ(queue.pop(), 7);
    EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, DeliversEveryItemOnceFromSeveralProducers) {
    BoundedQueue<int> queue(16);
    constexpr int kPerThread = 2000;
    std::vector<std::jthread> producers;
    for (int p = 0; p < 3; ++p) {
        producers.emplace_back([&queue] {
            for (int i = 0; i < kPerThread; ++i) {
                while (!queue.try_push(int{i})) std::this_thread::yield();
            }
        });
    }
    std::vector<int> seen(kPerThread, 0);
    for (int i = 0; i < 3 * kPerThread; ++i) ++seen[static_cast<std::size_t>(*queue.pop())];
    for (const int count : seen) EXPECT_EQ(count, 3);
    EXPECT_EQ(queue.try_pop(), std::nullopt);
}

}  // namespace
}  // namespace notso
