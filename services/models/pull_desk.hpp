// PullDesk: fetching models while the server runs, one at a time: start, look, cancel. It owns the
// thread that fetches.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/serial_worker.hpp"
#include "services/models/pull.hpp"

namespace notso::services {

struct PullDeskOptions {
    std::filesystem::path folder;
    std::string hub = std::string(kDefaultHub);
    std::function<void()> on_installed = {};  ///< Called on the desk's thread.
    PullOptions pull = {};
};

struct PullStatus {
    enum class State { kNone, kRunning, kInstalled, kCancelled, kFailed };
    State state = State::kNone;  ///< Of the last one that was started.
    std::string file_name = {};
    PullProgress progress = {};
    double bytes_per_second = 0;  ///< Of this stage; 0 = not known yet.
    std::string note = {};        ///< The last one, for people.
    Error error = {};             ///< For kFailed and kCancelled.
};

/// What there is room for.
struct PullRoom {
    std::uint64_t disk_bytes = 0;    ///< Free where models lie; 0 = not known.
    std::uint64_t memory_bytes = 0;  ///< Of the machine.
};

/// Safe from any thread; nothing here blocks.
class PullDesk {
  public:
    explicit PullDesk(PullDeskOptions options) : options_(std::move(options)) {}
    /// Stops what runs (its part is kept) and waits for it.
    ~PullDesk();
    PullDesk(const PullDesk&) = delete;
    PullDesk& operator=(const PullDesk&) = delete;

    /// @param what  a short name or OWNER/REPO/FILE.gguf. No addresses: whoever can open the page
    /// must not
    ///              make this machine ask any server there is.
    /// @errors kBusy while one is fetched; kInvalidArgument, kNotFound as find_model_source().
    Result<> start(std::string_view what);
    /// What arrived is kept; without a running one: nothing.
    void cancel();
    PullStatus status() const;
    PullRoom room() const;

  private:
    void run(const PullRequest& request, const std::stop_token& stop);
    void show(const PullProgress& progress);

    const PullDeskOptions options_;
    mutable std::mutex mutex_;
    PullStatus status_;
    std::stop_source stop_;
    SteadyClock::time_point stage_began_;
    std::uint64_t stage_first_byte_ = 0;
    SerialWorker worker_{"pull"};  // last: it uses the rest
};

}  // namespace notso::services
