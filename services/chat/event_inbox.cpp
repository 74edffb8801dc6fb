#include "services/chat/event_inbox.hpp"

#include <utility>

namespace notso::services {

void EventInbox::push(ChatEvent event) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back({std::move(event), SteadyClock::now()});
        if (std::exchange(posted_, true)) return;
    }
    io_.post([self = shared_from_this()] { self->drain(); });
}

void EventInbox::drain() {
    std::vector<TimedEvent> events;
    {
        const std::lock_guard lock(mutex_);
        posted_ = false;
        events.swap(waiting_);
    }
    deliver_(std::move(events));
}

}  // namespace notso::services
