#include "ml/runtime/thread_pool.hpp"

#include <pthread.h>

#include <chrono>

#include "base/assert.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace notso::ml {
namespace {

constexpr int kFieldBits = 20;
constexpr std::uint64_t kFieldMask = (std::uint64_t{1} << kFieldBits) - 1;
constexpr auto kSpin = std::chrono::microseconds(25);

/// Of a word: a job's number, and what is counted.
std::uint64_t generation(std::uint64_t word) { return word >> kFieldBits; }
std::uint64_t count(std::uint64_t word) { return word & kFieldMask; }
std::size_t to_size(std::int32_t n) { return static_cast<std::size_t>(n); }
std::uint64_t word_of(std::uint64_t generation, std::uint64_t count) {
    return generation << kFieldBits | count;
}

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

ThreadPool::ThreadPool(std::int32_t n_threads) : n_used_(n_threads), shares_(to_size(n_threads)) {
    NOTSO_ASSERT(n_threads >= 1, "a pool has at least the thread that calls run()");
    workers_.reserve(to_size(n_threads - 1));
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
    const std::uint64_t last = generation(job_.load(std::memory_order_relaxed));
    const std::uint64_t job = word_of(last + 1, static_cast<std::uint64_t>(n_tasks));
    // Not waited for: workers that are about to sleep look for it long after they said so.
    job_.store(job, std::memory_order_release);
    if (sleepers_.load() > 0) {
        wake_epoch_.fetch_add(1);
        wake_epoch_.notify_all();
    }
    work(0, job);
    while (!spin_until([&] { return is_done(job); })) std::this_thread::yield();
}

/// Runs tasks that are dealt to the thread, then those that others have not taken yet.
void ThreadPool::work(std::int32_t thread, std::uint64_t job) noexcept {
    std::uint64_t n_done = 0;
    for (std::int32_t i = 0; i < size(); ++i) {
        const std::int32_t owner = (thread + i) % size();
        const std::uint64_t n_before = n_done;
        while (takes_part(thread)) {
            const std::int32_t task = take(owner, job);
            if (task < 0) break;
            invoke_(context_, task, thread);
            ++n_done;
        }
        if (n_done == n_before) continue;
        shares_[to_size(thread)].n_done.store(word_of(generation(job), n_done),
                                              std::memory_order_release);
    }
}

/// @return A task of the owner's share, or -1 where none is left: always so once the job is over,
/// since all were taken then.
std::int32_t ThreadPool::take(std::int32_t owner, std::uint64_t job) noexcept {
    std::atomic<std::uint64_t>& share = shares_[to_size(owner)].n_taken;
    std::uint64_t seen = share.load(std::memory_order_relaxed);
    while (true) {
        if (generation(seen) > generation(job)) return -1;
        const std::uint64_t n_taken = generation(seen) == generation(job) ? count(seen) : 0;
        const std::uint64_t task =
            n_taken * static_cast<std::uint64_t>(size()) + static_cast<std::uint64_t>(owner);
        if (task >= count(job)) return -1;
        const std::uint64_t taken = word_of(generation(job), n_taken + 1);
        if (share.compare_exchange_weak(seen, taken, std::memory_order_relaxed))
            return static_cast<std::int32_t>(task);
    }
}

bool ThreadPool::is_done(std::uint64_t job) const noexcept {
    std::uint64_t n_done = 0;
    for (const Share& share : shares_) {
        const std::uint64_t done = share.n_done.load(std::memory_order_acquire);
        if (generation(done) == generation(job)) n_done += count(done);
    }
    return n_done == count(job);
}

void ThreadPool::worker_loop(std::int32_t thread) noexcept {
    std::uint64_t seen = 0;
    while (!stopping_.load()) {
        const std::int32_t n_used = n_used_.load();
        if (thread >= n_used) {
            n_used_.wait(n_used);
            continue;
        }
        const auto woken = [&] {
            return job_.load(std::memory_order_acquire) != seen ||
                   stopping_.load(std::memory_order_relaxed);
        };
        if (!spin_until(woken)) sleep_until(woken);
        seen = job_.load(std::memory_order_acquire);
        work(thread, seen);
    }
}

template <class Condition>
void ThreadPool::sleep_until(const Condition& woken) noexcept {
    // Announced first, looked for during kSpin, then slept: whoever publishes a job after that sees
    // the announcement, and what was published before it has been seen.
    const std::int32_t epoch = wake_epoch_.load();
    sleepers_.fetch_add(1);
    if (!spin_until(woken)) wake_epoch_.wait(epoch);
    sleepers_.fetch_sub(1);
}

}  // namespace notso::ml
