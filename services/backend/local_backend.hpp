// LocalBackend: the ChatBackend over a model that is still loading, ready, or failed. It owns two
// threads: one loads, one (the desk) tells held requests what happens to them. Once the model
// stands, events come from the engine thread.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/serial_worker.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/backend/local_model.hpp"

namespace notso::services {

/// Loads the model; runs on the loading thread, with callbacks and stop token of the backend's.
/// Tests put their own in.
using ModelLoader = std::function<Result<std::shared_ptr<const ml::Model>>(ml::LoadOptions)>;

struct LocalBackendOptions {
    std::string id;  ///< Shown until the model stands.
    ml::EngineOptions engine = {};
};

class LocalBackend final : public ChatBackend {
  public:
    LocalBackend(ModelLoader loader, LocalBackendOptions options);
    ~LocalBackend() override;
    LocalBackend(const LocalBackend&) = delete;
    LocalBackend& operator=(const LocalBackend&) = delete;

    Result<std::unique_ptr<ChatStream>> start(const ChatRequest& request,
                                              ChatEventHandler handler) override;
    Result<std::int64_t> count_tokens(const ChatRequest& request) override;
    ModelInfo info() const override;
    Health health() const override;

  private:
    class Stream;
    struct Ticket;
    struct Link;

    /// A request that waits for the model.
    struct Held {
        ChatRequest request;
        std::shared_ptr<ChatEventHandler> handler;
        std::shared_ptr<Ticket> ticket;
        std::int64_t announced_position = -1;
    };

    void load(const ModelLoader& loader);
    ml::LoadOptions watch();
    void finish_loading(Result<std::unique_ptr<LocalModel>> model);
    Result<> hold(Held held);
    Result<> submit(const ChatRequest& request,
                    std::shared_ptr<ChatEventHandler> handler,
                    Ticket& ticket);
    bool is_full(const ml::EngineStats& stats) const;
    void cancel(Ticket& ticket);
    void look_after_held();
    void submit_held();
    void end_held(const std::function<bool(const Held&)>& which,
                  ChatFinish finish,
                  const std::optional<Error>& error);

    const LocalBackendOptions options_;
    std::shared_ptr<Link> link_;  // how streams find the backend as long as it lives
    std::atomic<double> progress_ = 0;

    mutable std::mutex mutex_;
    HealthState state_ = HealthState::kLoading;
    Error failure_;
    std::deque<Held> held_;
    std::string memory_;                 // Health::memory
    std::unique_ptr<LocalModel> model_;  // set once, before state_ becomes kReady

    SerialWorker desk_{"desk"};
    std::stop_source stop_;
    std::thread loader_;  // last: starts when everything else stands
};

}  // namespace notso::services
