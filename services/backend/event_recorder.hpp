// For tests: records a backend's events and lets a test wait for them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "services/backend/chat_backend.hpp"

namespace notso::services {

/// Shared with the handler, so that events which arrive late find it alive.
class EventRecorder : public std::enable_shared_from_this<EventRecorder> {
  public:
    static std::shared_ptr<EventRecorder> create() { return std::make_shared<EventRecorder>(); }

    ChatEventHandler handler() {
        return [self = shared_from_this()](ChatEvent event) { self->add(std::move(event)); };
    }

    std::vector<ChatEvent> events() const {
        const std::lock_guard lock(mutex_);
        return events_;
    }

    /// Waits until an event of type T arrived; false when none came in time.
    template <class T>
    bool wait_for(std::chrono::seconds patience = std::chrono::seconds(10)) {
        return wait_until([](const ChatEvent& event) { return std::holds_alternative<T>(event); },
                          patience);
    }

    bool wait_until(const std::function<bool(const ChatEvent&)>& wanted,
                    std::chrono::seconds patience = std::chrono::seconds(10)) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [&] {
            return std::find_if(events_.begin(), events_.end(), wanted) != events_.end();
        });
    }

    /// All events of type T so far.
    template <class T>
    std::vector<T> all() const {
        std::vector<T> found;
        for (const ChatEvent& event : events()) {
            if (const T* body = std::get_if<T>(&event)) found.push_back(*body);
        }
        return found;
    }

    std::string text() const { return join<chat_event::Text>(); }
    std::string thinking() const { return join<chat_event::ThinkingText>(); }

    /// Waits for the end and returns it.
    chat_event::End end() {
        if (!wait_for<chat_event::End>())
            return {ChatFinish::kError, Error{ErrorCode::kTimeout, "no End"}, {}};
        return all<chat_event::End>().front();
    }

  private:
    template <class T>
    std::string join() const {
        std::string text;
        for (const T& event : all<T>()) text += event.text;
        return text;
    }

    void add(ChatEvent event) {
        {
            const std::lock_guard lock(mutex_);
            events_.push_back(std::move(event));
        }
        changed_.notify_all();
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<ChatEvent> events_;
};

}  // namespace notso::services
