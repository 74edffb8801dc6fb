// Executor: "run this over there, later". Layers that must not know Asio hand work to a thread through it.
#pragma once

#include <functional>

namespace notso {

using Task = std::move_only_function<void()>;

/// Runs tasks in the order they were posted, one at a time. Implemented over Asio in app/, and by a plain
/// loop in tests and the terminal chat.
class Executor {
  public:
    Executor() = default;
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;
    virtual ~Executor() = default;

    /// Queues a task; returns at once. Safe from any thread. Tasks posted after shutdown began are dropped.
    virtual void post(Task task) = 0;
};

}  // namespace notso
