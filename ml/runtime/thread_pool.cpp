#include "ml/runtime/thread_pool.hpp"

#include <pthread.h>

#include <chrono>

#include "base/assert.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace notso::ml {
namespace {

constexpr std::uint64_t kFieldMask = (std::uint64_t{1} << 20) - 1;
constexpr auto kSpin = std::chrono::microseconds(50);

std::uint64_t task_count(std::uint64_t ticket) { return (ticket >> 20) & kFieldMask; }
std::uint64_t next_task(std::uint64_t ticket) { return ticket & kFieldMask; }

void pause() noexcept {
#if defined(__x86_64__)
    _mm_pause();
#endif
}

/// Polls `done` for about kSpin; false when the time is over.
template <class Condition>
bool spin_until(const Condition& done) noexcept {
    const auto start = std::chrono::steady_clock::now();
    while (true) {
        for (int i = 0; i < 64; ++i) {
            if (done()) return true;
            pause();
        }
        if (std::chrono::steady_clock::now() - start > kSpin) return false;
    }
}

}  // namespace

ThreadPool::ThreadPool(std::int32_t n_threads) : n_used_(n_threads) {
    NOTSO_ASSERT(n_threads >= 1, "a pool has at least the thread that calls run()");
    for (std::int32_t thread = 1; thread < n_threads; ++thread) {
        workers_.emplace_back([this, thread] { worker_loop(thread); });
        pthread_setname_np(workers_.back().native_handle(), "notso-pool");
    }
}

ThreadPool::~ThreadPool() {
    stopping_.store(true);
    use(size());
    wake_epoch_.fetch_add(1);
    wake_epoch_.notify_all();
}

void ThreadPool::use(std::int32_t n_threads) noexcept {
    NOTSO_ASSERT(n_threads >= 1 && n_threads <= size(), "a pool has so many threads and no more");
    if (n_used_.exchange(n_threads) != n_threads) n_used_.notify_all();
}

bool ThreadPool::takes_part(std::int32_t thread) const noexcept {
    return thread < n_used_.load(std::memory_order_relaxed);
}

void ThreadPool::run_erased(std::int32_t n_tasks, const void* context, Invoke invoke) noexcept {
    NOTSO_ASSERT(n_tasks >= 0 && n_tasks <= kMaxTasks, "too many tasks for one job");
    if (n_tasks == 0) return;
    if (n_tasks == 1 || !takes_part(1)) {
        for (std::int32_t task = 0; task < n_tasks; ++task) invoke(context, task, 0);
        return;
    }
    context_ = context;
    invoke_ = invoke;
    unfinished_.store(n_tasks, std::memory_order_relaxed);
    const std::uint64_t generation = (ticket_.load(std::memory_order_relaxed) >> 40) + 1;
    ticket_.store((generation << 40) | (static_cast<std::uint64_t>(n_tasks) << 20));
    if (sleepers_.load() > 0) {
        wake_epoch_.fetch_add(1);
        wake_epoch_.notify_all();
    }
    work(0);
    const auto joined = [this] { return unfinished_.load(std::memory_order_acquire) == 0; };
    while (!spin_until(joined)) {
        const std::int32_t left = unfinished_.load(std::memory_order_acquire);
        if (left != 0) unfinished_.wait(left, std::memory_order_acquire);
    }
}

void ThreadPool::work(std::int32_t thread) noexcept {
    while (takes_part(thread) && has_task()) {
        const std::uint64_t ticket = ticket_.fetch_add(1);
        if (next_task(ticket) >= task_count(ticket)) return;
        invoke_(context_, static_cast<std::int32_t>(next_task(ticket)), thread);
        if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
    }
}

bool ThreadPool::has_task() const noexcept {
    const std::uint64_t ticket = ticket_.load();
    return next_task(ticket) < task_count(ticket);
}

void ThreadPool::worker_loop(std::int32_t thread) noexcept {
    while (!stopping_.load()) {
        const std::int32_t n_used = n_used_.load();
        if (thread >= n_used) {
            n_used_.wait(n_used);
            continue;
        }
        work(thread);
        const bool more =
            spin_until([this] { return has_task() || stopping_.load(std::memory_order_relaxed); });
        if (!more) sleep_until_work();
    }
}

void ThreadPool::sleep_until_work() noexcept {
    // Announce first, look again, then sleep: whoever publishes a job after the look sees the
    // announcement.
    sleepers_.fetch_add(1);
    const std::int32_t epoch = wake_epoch_.load();
    if (!has_task() && !stopping_.load()) wake_epoch_.wait(epoch);
    sleepers_.fetch_sub(1);
}

}  // namespace notso::ml
