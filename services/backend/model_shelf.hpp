// ModelShelf: the ChatBackend over all installed models. A request names one; what it names is
// loaded when it is first asked for, beside others as long as memory lasts. It owns one thread, the
// keeper, which alone loads and unloads; the answering is done by a backend per loaded model.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/backend/model_file.hpp"
#include "services/backend/token_counter.hpp"

namespace notso::services {

/// What is installed.
struct ShelfList {
    std::vector<ModelFile> models = {};
    std::string default_id = {};  ///< Empty: no model can be the default, and `problem` says why.
    std::string problem = {};
};

struct ShelfOptions {
    /// Reads the folder; called on the keeper's thread, the first time in the constructor.
    std::function<ShelfList()> list;
    /// Begins to load a model and returns at once.
    std::function<std::unique_ptr<ChatBackend>(const ModelFile&)> load;
    /// Counts tokens for a model that is not loaded.
    std::function<Result<std::unique_ptr<const TokenCounter>>(const ModelFile&)> counter;
    /// Memory that this machine could give now.
    std::function<std::uint64_t()> available_bytes;

    std::size_t max_loaded = 4;                ///< Models in memory at the same time.
    std::uint64_t budget_bytes = 0;            ///< All of them together, with full contexts.
    std::chrono::milliseconds idle_unload{0};  ///< Unused for so long: unloaded. 0 = never.
    std::uint64_t low_bytes = 0;  ///< Less available than this: unused models go, one by one.
    std::chrono::milliseconds patrol{5'000};        ///< How often that is looked at.
    std::chrono::milliseconds retry_after{30'000};  ///< A model that failed to load is tried again.
    std::int64_t max_waiting = 64;
};

/// A model with an answer that runs or is queued in it is never unloaded: what needs its room
/// waits, and is told its place. Who waits is served in the order of arrival, so no stream of
/// requests for one model starves those for another.
class ModelShelf final : public ChatBackend {
  public:
    /// Begins to load the default model.
    explicit ModelShelf(ShelfOptions options);
    /// Cancels what waits and what runs; returns after every End.
    ~ModelShelf() override;
    ModelShelf(const ModelShelf&) = delete;
    ModelShelf& operator=(const ModelShelf&) = delete;

    Result<std::unique_ptr<ChatStream>> start(const ChatRequest& request,
                                              ChatEventHandler handler) override;
    Result<std::int64_t> count_tokens(const ChatRequest& request) override;
    ModelInfo info() const override;
    /// Of the default model; running and waiting are those of all. One that is unloaded counts as
    /// ready.
    Health health() const override;
    std::vector<ModelEntry> models() const override;
    /// With a single model installed, every name means it.
    Result<ModelInfo> find_model(const std::string& name) const override;

    void refresh() override;

  private:
    class Stream;
    class Lease;
    struct Link;
    struct Ticket;
    struct Slot;
    struct Waiting;
    using Lock = std::unique_lock<std::mutex>;
    using Handler = std::shared_ptr<ChatEventHandler>;

    // Called with the lock held.
    Result<std::shared_ptr<Slot>> slot_for(const std::string& name) const;
    Slot* default_slot() const;
    std::shared_ptr<Lease> lease(std::shared_ptr<Slot> slot);
    std::optional<Error> fresh_failure(const Slot& slot) const;
    void merge(ShelfList list);
    bool fits(const Slot& slot) const;
    Slot* least_used_idle() const;
    SteadyClock::time_point next_look() const;
    void wake() const;

    // The keeper's steps. The lock is held when they begin and end, not while they load, unload or
    // call handlers.
    void keep();
    void drop_failed(Lock& lock);
    void end_cancelled(Lock& lock);
    void serve_waiting(Lock& lock);
    bool bring_in(Slot& slot, Lock& lock);
    void cancel_background(Lock& lock);
    void unload(Slot& slot, const char* why, Lock& lock);
    void unload_unused(Lock& lock);
    void announce(Lock& lock);
    void end_waiting(Lock& lock);

    Result<> hand_over(ChatBackend& backend, const Waiting& request, std::shared_ptr<Lease> lease);
    void release(Slot& slot);

    const ShelfOptions options_;
    std::shared_ptr<Link> link_;  // how streams and leases find the shelf as long as it lives

    mutable std::mutex mutex_;
    mutable std::condition_variable woken_;
    mutable bool news_ = false;         // the keeper has something to look at
    mutable bool list_wanted_ = false;  // read the folder again
    bool stopping_ = false;
    SteadyClock::time_point listed_at_;
    std::map<std::string, std::shared_ptr<Slot>> slots_;  // by id
    std::string default_id_;
    std::string problem_;  // why there is no default
    std::deque<Waiting> waiting_;

    std::thread keeper_;  // last: starts when everything else stands
};

}  // namespace notso::services
