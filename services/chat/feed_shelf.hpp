// FeedShelf: feeds of turns that have ended, kept for a while so that a reader that was cut off can
// catch up.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>

#include "base/clock.hpp"
#include "services/chat/turn_feed.hpp"

namespace notso::services {

/// Bounded in number and in time; the oldest go first. Lives on the io thread.
class FeedShelf {
  public:
    static constexpr std::size_t kMaxFeeds = 64;
    static constexpr std::chrono::minutes kMaxAge{5};

    void add(std::shared_ptr<TurnFeed> feed, SteadyClock::time_point now = SteadyClock::now());
    /// The feed of that answer, or null.
    std::shared_ptr<TurnFeed> find(const MessageId& answer) const;
    /// Forgets an answer that goes on.
    void forget(const MessageId& answer);
    /// Forgets what belongs to a conversation that was cleared or deleted.
    void drop(const ConversationKey& conversation);
    std::size_t size() const { return shelf_.size(); }

  private:
    struct Entry {
        std::shared_ptr<TurnFeed> feed;
        SteadyClock::time_point added;
    };
    std::deque<Entry> shelf_;  // oldest first
};

}  // namespace notso::services
