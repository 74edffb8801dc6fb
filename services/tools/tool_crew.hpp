// ToolCrew: the threads that tools run on, started when there is work for them, and one that
// watches the clock. Every call is answered exactly once, also when its tool never returns.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "services/tools/tool_box.hpp"

namespace notso::services {

/// What a model reads when a call was ended from outside: cancelled, or out of time.
std::string ended_text(const ToolInfo& info, const ToolContext& context);

class ToolCrew {
  public:
    struct Job {
        ToolInfo info;
        ToolContext context;  ///< With its deadline.
        std::function<ToolOutput(const ToolContext&)> work;
        ToolDone done;
    };

    explicit ToolCrew(const ToolLimits& limits);
    ToolCrew(const ToolCrew&) = delete;
    ToolCrew& operator=(const ToolCrew&) = delete;
    ~ToolCrew();

    /// Runs a job; one too many is answered with an error at once.
    void start(Job job);

  private:
    struct Call;
    using CallPtr = std::shared_ptr<Call>;

    void enqueue(const CallPtr& call);
    void work();
    void watch();
    /// Ends calls whose time is up or that were cancelled. @return when to look again.
    SteadyClock::time_point look_after(std::unique_lock<std::mutex>& lock);
    void wake_watcher();

    const ToolLimits limits_;
    std::mutex mutex_;
    std::condition_variable ready_;    // for workers
    std::condition_variable changed_;  // for the watcher
    std::deque<CallPtr> waiting_;
    std::vector<CallPtr> running_;
    std::vector<std::thread> workers_;
    std::size_t n_idle_ = 0;
    bool look_now_ = false;
    bool stopping_ = false;
    std::thread watcher_;
};

}  // namespace notso::services
