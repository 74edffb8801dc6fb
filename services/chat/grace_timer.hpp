// GraceTimer: one callback on the io thread after a delay, for shutting down. Owns the thread that
// waits.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/executor.hpp"

namespace notso::services {

/// Destroying it cancels what has not been posted yet and returns at once.
class GraceTimer {
  public:
    GraceTimer(std::chrono::milliseconds delay, Executor& io, Task expired)
        : thread_([delay, &io, expired = std::move(expired)](const std::stop_token& stop) mutable {
              std::mutex mutex;
              std::condition_variable_any wake;
              std::unique_lock lock(mutex);
              wake.wait_for(lock, stop, delay, [] { return false; });
              if (!stop.stop_requested()) io.post(std::move(expired));
          }) {}

  private:
    std::jthread thread_;
};

}  // namespace notso::services
