// ThreadPool: every task once, scratch indices exclusive, sleeping workers wake, idle ones use no
// CPU.
#include "ml/runtime/thread_pool.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <numeric>

namespace notso::ml {
namespace {

double process_cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

class ThreadPoolSizes : public testing::TestWithParam<int> {};

TEST_P(ThreadPoolSizes, RunsEveryTaskExactlyOnce) {
    ThreadPool pool(GetParam());
    for (int job = 0; job < 2000; ++job) {
        std::vector<int> counts(static_cast<std::size_t>(job % 37),
                                0);  // not atomic: TSan watches the join
        pool.run(static_cast<int>(counts.size()),
                 [&](int task, int) { ++counts[static_cast<std::size_t>(task)]; });
        for (const int count : counts) ASSERT_EQ(count, 1);
    }
}

TEST_P(ThreadPoolSizes, AThreadIndexIsNeverUsedTwiceAtOnce) {
    ThreadPool pool(GetParam());
    std::vector<long> sums(static_cast<std::size_t>(pool.size()), 0);
    for (int job = 0; job < 200; ++job) {
        pool.run(50, [&](int task, int thread) { sums[static_cast<std::size_t>(thread)] += task; });
    }
    EXPECT_EQ(std::accumulate(sums.begin(), sums.end(), 0L), 200L * 49 * 50 / 2);
}

TEST(ThreadPool, OthersTakeTheTasksOfAThreadThatIsBusy) {
    ThreadPool pool(2);
    constexpr int kTasks = 9;
    for (int job = 0; job < 200; ++job) {
        std::atomic<int> n_done{0};
        pool.run(kTasks, [&](int task, int) {
            // The first one of a thread waits for all others, those dealt to its thread too.
            if (task == job % 2)
                while (n_done.load() < kTasks - 1) std::this_thread::yield();
            n_done.fetch_add(1);
        });
        ASSERT_EQ(n_done.load(), kTasks);
    }
}

INSTANTIATE_TEST_SUITE_P(OneToMoreThanCores, ThreadPoolSizes, testing::Values(1, 2, 3, 8));

TEST(ThreadPool, WakesWorkersThatSleep) {
    ThreadPool pool(3);
    for (int round = 0; round < 20; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        // Three tasks that wait for each other end only if three threads take part.
        std::atomic<int> arrived{0};
        pool.run(3, [&](int, int) {
            arrived.fetch_add(1);
            while (arrived.load() < 3) std::this_thread::yield();
        });
        EXPECT_EQ(arrived.load(), 3);
    }
}

TEST(ThreadPool, OnlySoManyThreadsTakePart) {
    ThreadPool pool(4);
    for (const std::int32_t n_used : {1, 2, 4, 3}) {
        pool.use(n_used);
        std::atomic<int> by_others{0};
        for (int job = 0; job < 500; ++job) {
            std::atomic<int> done{0};
            pool.run(8, [&](int, int thread) {
                by_others += thread >= n_used;
                ++done;
            });
            ASSERT_EQ(done, 8);
        }
        // One that looked for a task when use() was called may have taken it.
        EXPECT_LE(by_others, 4 - n_used) << n_used << " threads";
    }
    EXPECT_EQ(pool.size(), 4);
}

TEST(ThreadPool, ThreadsComeBack) {
    ThreadPool pool(3);
    for (int round = 0; round < 50; ++round) {
        pool.use(1);
        pool.run(4, [](int, int) {});
        pool.use(3);
        std::atomic<int> arrived{0};
        pool.run(3, [&](int, int) {  // ends only if three threads take part
            arrived.fetch_add(1);
            while (arrived.load() < 3) std::this_thread::yield();
        });
        EXPECT_EQ(arrived.load(), 3);
    }
    pool.use(1);  // ends although two sleep
}

TEST(ThreadPool, AnIdlePoolUsesNoCpu) {
    ThreadPool pool(4);
    pool.run(8, [](int, int) {});
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const double before = process_cpu_seconds();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    EXPECT_LT(process_cpu_seconds() - before, 0.03);
}

}  // namespace
}  // namespace notso::ml
