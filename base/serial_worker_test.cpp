#include "base/serial_worker.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace notso {
namespace {

TEST(SerialWorker, RunsTasksInOrderAndFinishesThemOnStop) {
    std::vector<int> order;
    SerialWorker worker("test-worker");
    for (int i = 0; i < 100; ++i) worker.post([&order, i] { order.push_back(i); });
    worker.stop();
    ASSERT_EQ(order.size(), 100u);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
    worker.post([&order] { order.clear(); });
    EXPECT_EQ(order.size(), 100u);
}

TEST(RunLoop, RunsUntilTheConditionHolds) {
    RunLoop loop;
    int count = 0;
    SerialWorker worker("test-poster");
    for (int i = 0; i < 5; ++i) worker.post([&] { loop.post([&count] { ++count; }); });
    loop.run_until([&] { return count == 5; });
    EXPECT_EQ(count, 5);
    loop.stop();
    loop.run();
}

}  // namespace
}  // namespace notso
