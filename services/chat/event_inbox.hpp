// EventInbox: carries a backend's events from its thread to the io thread. Events that arrive while
// a delivery is under way wait for it, so that a fast model costs one task per delivery, not one
// per token.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "services/backend/chat_backend.hpp"

namespace notso::services {

/// An event and when the backend gave it.
struct TimedEvent {
    ChatEvent event;
    SteadyClock::time_point at;
};

class EventInbox : public std::enable_shared_from_this<EventInbox> {
  public:
    using Deliver = std::move_only_function<void(std::vector<TimedEvent>)>;

    /// @param io       Where `deliver` runs; must outlive the inbox.
    /// @param deliver  Gets everything that arrived since the last delivery, in order, never
    /// nothing.
    EventInbox(Executor& io, Deliver deliver) : io_(io), deliver_(std::move(deliver)) {}

    /// Takes an event from any thread; returns at once.
    void push(ChatEvent event);

  private:
    void drain();

    Executor& io_;
    Deliver deliver_;  // called on io only
    std::mutex mutex_;
    std::vector<TimedEvent> waiting_;
    bool posted_ = false;
};

}  // namespace notso::services
