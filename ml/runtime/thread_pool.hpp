// ThreadPool: fork and join for the kernels of one model. Workers spin for a moment after each job,
// then sleep: between the matrices of a layer a join costs about a microsecond, and an idle pool
// costs nothing. Owned by the model that computes with it; used by one thread at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace notso::ml {

class ThreadPool {
  public:
    /// Starts n_threads - 1 workers; the thread that calls run() is the remaining one. n_threads
    /// ≥ 1.
    explicit ThreadPool(std::int32_t n_threads);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    std::int32_t size() const noexcept { return static_cast<std::int32_t>(shares_.size()); }

    /// How many threads take part from the next job on, the caller's among them, 1 ≤ n ≤ size();
    /// the others sleep. One that looks for a task at this moment may still take one. Called by the
    /// thread that calls run().
    void use(std::int32_t n_threads) noexcept;

    /// Calls body(task, thread) once for every task in [0, n_tasks), and returns when all are done.
    /// `thread` is in [0, size()): no two calls with the same one overlap, so it can index scratch
    /// memory. Task i is dealt to thread i modulo size(); one that has no more takes tasks of
    /// others, so an unlucky thread holds nobody up. n_tasks ≤ kMaxTasks.
    template <class Body>
    void run(std::int32_t n_tasks, const Body& body) noexcept {
        run_erased(n_tasks,
                   &body,
                   [](const void* context, std::int32_t task, std::int32_t thread) noexcept {
                       (*static_cast<const Body*>(context))(task, thread);
                   });
    }

    static constexpr std::int32_t kMaxTasks = 1 << 19;

  private:
    static constexpr std::size_t kLineBytes = 64;
    using Invoke = void (*)(const void* context, std::int32_t task, std::int32_t thread) noexcept;

    // Both are generation << 20 | n. Each is alone on a cache line, which stays with its thread
    // until another one has nothing to do.
    struct Share {
        /// How many of the tasks dealt to a thread are taken, by it or by others.
        alignas(kLineBytes) std::atomic<std::uint64_t> n_taken{0};
        /// How many tasks a thread has done, whosever they were.
        alignas(kLineBytes) std::atomic<std::uint64_t> n_done{0};
    };

    void run_erased(std::int32_t n_tasks, const void* context, Invoke invoke) noexcept;
    void work(std::int32_t thread, std::uint64_t job) noexcept;
    std::int32_t take(std::int32_t owner, std::uint64_t job) noexcept;
    bool is_done(std::uint64_t job) const noexcept;
    void worker_loop(std::int32_t thread) noexcept;
    bool takes_part(std::int32_t thread) const noexcept;
    template <class Condition>
    void sleep_until(const Condition& woken) noexcept;

    // generation << 20 | n_tasks. Workers look at it all the time: on its line stands what a job
    // changes, and nothing else.
    alignas(kLineBytes) std::atomic<std::uint64_t> job_{0};
    const void* context_ = nullptr;  // published by job_, stable until the job's last task is done
    Invoke invoke_ = nullptr;
    alignas(kLineBytes) std::atomic<std::int32_t> n_used_;
    std::atomic<std::int32_t> sleepers_{0};
    std::atomic<std::int32_t> wake_epoch_{0};
    std::atomic<bool> stopping_{false};
    std::vector<Share> shares_;  // of each thread
    std::vector<std::jthread> workers_;
};

}  // namespace notso::ml
