// RemoteWatch: knows whether a remote server answers and which model it runs. Owns one thread that
// asks every few seconds and sleeps in between.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "services/backend/remote.hpp"
#include "services/backend/remote_models.hpp"

namespace notso::services {

class RemoteWatch {
  public:
    /// @param options  Must outlive the watch.
    explicit RemoteWatch(const RemoteOptions& options);
    RemoteWatch(const RemoteWatch&) = delete;
    RemoteWatch& operator=(const RemoteWatch&) = delete;
    ~RemoteWatch();

    /// The name that requests must give. Asks the server at once when none is known yet. @errors
    /// those of asking.
    Result<std::string> model_id(const std::stop_token& stop);
    /// The server gave cause to doubt: asks it now instead of at the next interval.
    void check_soon();

    ModelInfo info() const;
    /// Without the numbers of requests, which are not the watch's.
    Health health() const;

  private:
    void run(const std::stop_token& stop);
    Result<RemoteModel> ask(std::stop_token stop) const;
    Result<RemoteModel> read_listing(const std::string& body) const;
    void learn(const Result<RemoteModel>& model);

    const RemoteOptions& options_;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    HealthState state_ = HealthState::kLoading;
    std::string failure_;               // for kFailed
    std::optional<RemoteModel> model_;  // the last one known, also while the server is away
    bool wanted_ = false;
    std::jthread thread_;  // last: starts when everything else stands
};

}  // namespace notso::services
