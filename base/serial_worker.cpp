#include "base/serial_worker.hpp"

#include <pthread.h>

#include <utility>

namespace notso {

SerialWorker::SerialWorker(std::string name) : thread_([this] { run(); }) {
    name.resize(std::min<std::size_t>(name.size(), 15));
    pthread_setname_np(thread_.native_handle(), name.c_str());
}

SerialWorker::~SerialWorker() { stop(); }

void SerialWorker::post(Task task) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        tasks_.push_back(std::move(task));
    }
    ready_.notify_one();
}

void SerialWorker::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    ready_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void SerialWorker::run() {
    while (true) {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
        if (tasks_.empty()) return;
        Task task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
    }
}

void RunLoop::post(Task task) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_) return;
        tasks_.push_back(std::move(task));
    }
    ready_.notify_one();
}

Task RunLoop::next() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return stopped_ || !tasks_.empty(); });
    if (tasks_.empty()) return {};
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
}

void RunLoop::run() {
    while (Task task = next()) task();
}

void RunLoop::run_until(const std::function<bool()>& done) {
    while (!done()) {
        Task task = next();
        if (!task) return;
        task();
    }
}

void RunLoop::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    ready_.notify_all();
}

}  // namespace notso
