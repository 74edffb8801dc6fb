// ThreadPool: fork and join for the kernels of one model. Workers spin for a moment after each job,
// then sleep: between the matrices of a layer a join costs about a microsecond, and an idle pool
// costs nothing. Owned by the model that computes with it; used by one thread at a time.
#pragma once

#include <atomic>
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

    std::int32_t size() const noexcept { return static_cast<std::int32_t>(workers_.size()) + 1; }

    /// How many threads take part from the next job on, the caller's among them, 1 ≤ n ≤ size();
    /// the others sleep. One that looks for a task at this moment may still take one. Called by the
    /// thread that calls run().
    void use(std::int32_t n_threads) noexcept;

    /// Calls body(task, thread) once for every task in [0, n_tasks), and returns when all are done.
    /// `thread` is in [0, size()): no two calls with the same one overlap, so it can index scratch
    /// memory. Tasks are claimed one by one, so an unlucky thread holds nobody up. n_tasks ≤
    /// kMaxTasks.
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
    using Invoke = void (*)(const void* context, std::int32_t task, std::int32_t thread) noexcept;

    void run_erased(std::int32_t n_tasks, const void* context, Invoke invoke) noexcept;
    void work(std::int32_t thread) noexcept;
    void worker_loop(std::int32_t thread) noexcept;
    bool has_task() const noexcept;
    bool takes_part(std::int32_t thread) const noexcept;
    void sleep_until_work() noexcept;

    // generation << 40 | n_tasks << 20 | next task. One word, so that a late worker can only ever
    // claim a task of the job that is published with it, and a claim past the end touches nothing.
    std::atomic<std::uint64_t> ticket_{0};
    std::atomic<std::int32_t> unfinished_{0};
    const void* context_ =
        nullptr;  // published by ticket_, stable until the job's last task is done
    Invoke invoke_ = nullptr;

    std::atomic<std::int32_t> n_used_;
    std::atomic<std::int32_t> sleepers_{0};
    std::atomic<std::int32_t> wake_epoch_{0};
    std::atomic<bool> stopping_{false};
    std::vector<std::jthread> workers_;
};

}  // namespace notso::ml
