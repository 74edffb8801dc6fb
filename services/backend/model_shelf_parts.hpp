// The private parts of ModelShelf that both of its files use.
#pragma once

#include "services/backend/model_shelf.hpp"

namespace notso::services {

/// Shared by streams and leases: null once the shelf is going away.
struct ModelShelf::Link {
    std::mutex mutex;
    ModelShelf* shelf = nullptr;
};

/// One request between its stream and the shelf. Guarded by `mutex`.
struct ModelShelf::Ticket {
    std::mutex mutex;
    bool cancelled = false;
    bool answer_now = false;  ///< To be passed on with the request.
    std::unique_ptr<ChatStream> inner = {};  ///< Once the model's own backend has it.

    void cancel() {
        const std::lock_guard lock(mutex);
        cancelled = true;
        if (inner != nullptr) inner->cancel();
    }
};

/// An installed model. Guarded by the shelf's mutex; only the keeper sets and takes `backend`.
struct ModelShelf::Slot {
    ModelFile file;
    std::unique_ptr<ChatBackend> backend = {};  ///< Null: not loaded.
    std::int64_t users = 0;                     ///< Answers and counts that need the backend.
    SteadyClock::time_point last_used = {};
    std::optional<Error> failure = {};  ///< Why it could not be loaded.
    SteadyClock::time_point failed_at = {};
    std::shared_ptr<const TokenCounter> counter = {};    ///< While it is not loaded.
    bool gone = false;                                   ///< The file is not there any more.
    std::vector<std::weak_ptr<Ticket>> background = {};  ///< Requests that nobody waits for.

    void add_background(const std::shared_ptr<Ticket>& ticket) {
        std::erase_if(background, [](const auto& other) { return other.expired(); });
        background.push_back(ticket);
    }

    ModelInfo info() const {
        const bool ready = backend != nullptr && backend->health().state == HealthState::kReady;
        return ready ? backend->info() : file.info;
    }
};

/// Keeps a model loaded as long as it lives. Never let one go with the shelf's lock held.
class ModelShelf::Lease {
  public:
    Lease(std::shared_ptr<Link> link, std::shared_ptr<Slot> slot)
        : link_(std::move(link)), slot_(std::move(slot)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
        const std::lock_guard lock(link_->mutex);
        if (link_->shelf != nullptr) link_->shelf->release(*slot_);
    }

  private:
    std::shared_ptr<Link> link_;
    std::shared_ptr<Slot> slot_;
};

/// A request whose model is not in memory yet, or that came after such a one.
struct ModelShelf::Waiting {
    ChatRequest request;
    Handler handler;
    std::shared_ptr<Ticket> ticket;
    std::shared_ptr<Slot> slot;
    std::int64_t announced = -1;
};

}  // namespace notso::services
