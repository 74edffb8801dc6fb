// SerialWorker: one thread that runs posted tasks in order. It owns its thread and joins it.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "base/executor.hpp"

namespace notso {

/// The thread behind the database and behind long computations. Destroying it runs what is queued, then joins.
class SerialWorker final : public Executor {
  public:
    /// @param name  Thread name as shown by the system, at most 15 characters.
    explicit SerialWorker(std::string name);
    ~SerialWorker() override;

    void post(Task task) override;
    /// Accepts nothing more, finishes what is queued and joins. May be called more than once, not from a task.
    void stop();

  private:
    void run();

    std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<Task> tasks_;
    bool stopping_ = false;
    std::thread thread_;
};

/// Runs posted tasks on the thread that calls run_*: the "io thread" of tests and of the terminal chat.
class RunLoop final : public Executor {
  public:
    void post(Task task) override;
    /// Runs tasks until stop() is called (from a task or another thread).
    void run();
    /// Runs until `done` returns true; checked after every task.
    void run_until(const std::function<bool()>& done);
    void stop();

  private:
    Task next();

    std::mutex mutex_;
    std::condition_variable ready_;
    std::deque<Task> tasks_;
    bool stopped_ = false;
};

}  // namespace notso
