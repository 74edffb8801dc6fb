#include "services/archive/store_gate.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>

namespace notso::services {
namespace {

/// Opens when the task has run, and when it was dropped.
class Latch {
  public:
    void open() {
        {
            const std::lock_guard lock(mutex_);
            open_ = true;
        }
        changed_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return open_; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
};

}  // namespace

void ExecutorGate::visit(const std::function<void(SessionStore&)>& work) {
    const auto latch = std::make_shared<Latch>();
    // Destroyed with the task, which opens the latch whether it ran or not.
    const auto opener = [](Latch* opened) { opened->open(); };
    std::unique_ptr<Latch, decltype(opener)> open_at_end(latch.get(), opener);
    database_.post([this, &work, latch, open_at_end = std::move(open_at_end)] { work(store_); });
    latch->wait();
}

}  // namespace notso::services
