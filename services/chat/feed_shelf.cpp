#include "services/chat/feed_shelf.hpp"

#include <algorithm>
#include <utility>

namespace notso::services {

void FeedShelf::add(std::shared_ptr<TurnFeed> feed, SteadyClock::time_point now) {
    shelf_.push_back({std::move(feed), now});
    while (shelf_.size() > kMaxFeeds || now - shelf_.front().added > kMaxAge) shelf_.pop_front();
}

std::shared_ptr<TurnFeed> FeedShelf::find(const MessageId& answer) const {
    const auto found = std::ranges::find_if(
        shelf_, [&](const Entry& entry) { return entry.feed->answer() == answer; });
    return found == shelf_.end() ? nullptr : found->feed;
}

void FeedShelf::forget(const MessageId& answer) {
    std::erase_if(shelf_, [&](const Entry& entry) { return entry.feed->answer() == answer; });
}

void FeedShelf::drop(const ConversationKey& conversation) {
    std::erase_if(shelf_,
                  [&](const Entry& entry) { return entry.feed->conversation() == conversation; });
}

}  // namespace notso::services
