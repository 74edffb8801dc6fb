#include "services/tools/tool_crew.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <optional>

namespace notso::services {
namespace {

void name_thread(std::thread& thread, const char* name) {
    pthread_setname_np(thread.native_handle(), name);
}

}  // namespace

/// One call, shared by its worker, the watcher and the caller's stop token.
struct ToolCrew::Call {
    explicit Call(Job j) : job(std::move(j)) {}

    /// Only the first answer counts.
    void answer(ToolOutput output) {
        if (!answered.exchange(true)) job.done(std::move(output));
    }

    Job job;
    std::stop_token of_caller;
    std::stop_source stop;
    std::atomic<bool> answered = false;
    std::optional<std::stop_callback<std::function<void()>>> on_caller_stop;  // goes first
};

ToolCrew::ToolCrew(const ToolLimits& limits) : limits_(limits), watcher_([this] { watch(); }) {
    name_thread(watcher_, "notso-tool-time");
}

ToolCrew::~ToolCrew() {
    std::vector<CallPtr> calls;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        calls = running_;
        calls.insert(calls.end(), waiting_.begin(), waiting_.end());
        waiting_.clear();
    }
    ready_.notify_all();
    changed_.notify_all();
    for (const CallPtr& call : calls) {
        call->stop.request_stop();
        call->answer({.text = "the call was cancelled: the program ends", .is_error = true});
    }
    watcher_.join();
    for (std::thread& worker : workers_) worker.join();
}

void ToolCrew::start(Job job) {
    const auto call = std::make_shared<Call>(std::move(job));
    call->of_caller = std::exchange(call->job.context.stop, call->stop.get_token());
    if (auto& progress = call->job.context.on_progress) {
        progress = [weak = std::weak_ptr(call), say = std::move(progress)](const ToolProgress& p) {
            const auto alive = weak.lock();
            if (alive && !alive->answered) say(p);
        };
    }
    enqueue(call);
}

void ToolCrew::enqueue(const CallPtr& call) {
    // Not under the lock, and before a worker can see it: an already stopped token calls at once.
    call->on_caller_stop.emplace(call->of_caller, [this, raw = call.get()] {
        raw->stop.request_stop();
        wake_watcher();
    });
    bool full = false;
    {
        const std::lock_guard lock(mutex_);
        full = stopping_ || waiting_.size() >= limits_.max_waiting + n_idle_;
        if (!full) {
            waiting_.push_back(call);
            if (n_idle_ < waiting_.size() && workers_.size() < limits_.max_threads) {
                workers_.emplace_back([this] { work(); });
                name_thread(workers_.back(), "notso-tool");
            }
        }
    }
    if (full) {
        call->answer({.text = "too many tools run at the moment; try again later, or do without",
                      .is_error = true});
        return;
    }
    ready_.notify_one();
    wake_watcher();
}

void ToolCrew::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        ++n_idle_;
        ready_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        --n_idle_;
        if (waiting_.empty()) return;
        const CallPtr call = std::move(waiting_.front());
        waiting_.pop_front();
        running_.push_back(call);
        lock.unlock();
        if (!call->answered) call->answer(call->job.work(call->job.context));
        call->on_caller_stop.reset();  // waits for one that is running: it uses this crew
        lock.lock();
        std::erase(running_, call);
    }
}

void ToolCrew::wake_watcher() {
    {
        const std::lock_guard lock(mutex_);
        look_now_ = true;
    }
    changed_.notify_one();
}

void ToolCrew::watch() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        const auto next = look_after(lock);
        const auto woken = [this] { return stopping_ || look_now_; };
        // The clock's last moment can't be waited for: it would overflow on the way.
        if (next == SteadyClock::time_point::max())
            changed_.wait(lock, woken);
        else
            changed_.wait_until(lock, next, woken);
    }
}

SteadyClock::time_point ToolCrew::look_after(std::unique_lock<std::mutex>& lock) {
    look_now_ = false;
    const auto now = SteadyClock::now();
    auto next = SteadyClock::time_point::max();
    std::vector<CallPtr> late;
    std::vector<CallPtr> ended;
    const auto look = [&](const CallPtr& call, std::chrono::milliseconds grace) {
        if (call->answered) return;
        const auto deadline = call->job.context.deadline;
        if (deadline <= now) late.push_back(call);
        const bool out_of_time = deadline <= now && deadline + grace <= now;
        if (out_of_time || call->of_caller.stop_requested()) {
            ended.push_back(call);
        } else if (deadline != SteadyClock::time_point::max()) {
            next = std::min(next, deadline <= now ? deadline + grace : deadline);
        }
    };
    for (const CallPtr& call : waiting_) look(call, std::chrono::milliseconds{0});
    for (const CallPtr& call : running_) look(call, limits_.grace);
    lock.unlock();
    for (const CallPtr& call : late) call->stop.request_stop();
    for (const CallPtr& call : ended)
        call->answer({.text = ended_text(call->job.info, call->job.context), .is_error = true});
    lock.lock();
    return next;
}

}  // namespace notso::services
