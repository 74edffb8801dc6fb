// The event log of one answer: a running snapshot, the newest events, and the readers to be woken.
#include "services/chat/turn_feed.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace notso::services {
namespace {

// What is kept for replay; a reader that is further behind takes the snapshot.
constexpr std::size_t kMaxKeptEvents = 4096;
constexpr std::size_t kMaxKeptBytes = std::size_t{1} << 20;

std::size_t text_bytes(const FeedEventBody& body) {
    if (const auto* text = std::get_if<feed_event::Text>(&body)) return text->text.size();
    if (const auto* thought = std::get_if<feed_event::ThinkingText>(&body))
        return thought->text.size();
    if (const auto* whole = std::get_if<feed_event::Rewritten>(&body))
        return whole->thinking.size() + whole->text.size();
    return 0;
}

double ms_since(SteadyClock::time_point start) {
    return std::chrono::duration<double, std::milli>(SteadyClock::now() - start).count();
}

}  // namespace

void TurnFeed::begin_at(std::uint64_t seq) {
    NOTSO_ASSERT(events_.empty(), "a feed that has begun keeps its numbers");
    snapshot_.seq = first_seq_ = seq;
}

void TurnFeed::append(FeedEventBody body) {
    NOTSO_ASSERT(!ended(), "nothing follows the end of a turn");
    absorb(body);
    ++snapshot_.seq;
    extents_.push_back({snapshot_.text.size(), snapshot_.thinking.size()});
    kept_bytes_ += text_bytes(body);
    events_.push_back({snapshot_.seq, std::move(body)});
    while (events_.size() > kMaxKeptEvents || (kept_bytes_ > kMaxKeptBytes && events_.size() > 1)) {
        kept_bytes_ -= text_bytes(events_.front().body);
        events_.pop_front();
    }
    wake_readers();
}

void TurnFeed::absorb(const FeedEventBody& body) {
    if (const auto* status = std::get_if<feed_event::Status>(&body)) {
        snapshot_.status = status->status;
    } else if (const auto* thought = std::get_if<feed_event::ThinkingText>(&body)) {
        snapshot_.thinking += thought->text;
    } else if (const auto* text = std::get_if<feed_event::Text>(&body)) {
        snapshot_.text += text->text;
    } else if (const auto* whole = std::get_if<feed_event::Rewritten>(&body)) {
        snapshot_.thinking = whole->thinking;
        snapshot_.text = whole->text;
        snapshot_.rewritten_seq = snapshot_.seq + 1;
    } else if (const auto* tools = std::get_if<feed_event::ToolUses>(&body)) {
        snapshot_.tool_uses = tools->uses;
        snapshot_.tools_seq = snapshot_.seq + 1;
    } else if (const auto* line = std::get_if<feed_event::Line>(&body)) {
        snapshot_.waiting = line->waiting;
        snapshot_.line_seq = snapshot_.seq + 1;
    } else if (const auto* end = std::get_if<feed_event::Ended>(&body)) {
        snapshot_.ended = end->message;
        snapshot_.status.phase = TurnPhase::kEnded;
        snapshot_.more_follows = end->more_follows;
        snapshot_.can_continue = end->can_continue;
    }
    const bool thinking = snapshot_.status.phase == TurnPhase::kThinking;
    if (thinking && !thinking_since_) thinking_since_ = SteadyClock::now();
    if (thinking_since_) snapshot_.thinking_ms = ms_since(*thinking_since_);
    if (!thinking) thinking_since_.reset();
    snapshot_.thinking_open = thinking;
    if (snapshot_.ended) snapshot_.thinking_ms = snapshot_.ended->stats.thinking_ms;
}

std::optional<std::vector<FeedEvent>> TurnFeed::since(std::uint64_t seq) const {
    const std::uint64_t oldest = snapshot_.seq + 1 - events_.size();
    if (seq > snapshot_.seq || seq < first_seq_ || seq + 1 < oldest) return std::nullopt;
    const auto skip = static_cast<std::ptrdiff_t>(seq + 1 - oldest);
    return std::vector<FeedEvent>(events_.begin() + skip, events_.end());
}

std::optional<TurnFeed::Extent> TurnFeed::extent_at(std::uint64_t seq) const {
    if (seq < first_seq_ || seq > snapshot_.seq) return std::nullopt;
    return extents_[static_cast<std::size_t>(seq - first_seq_)];
}

void TurnFeed::wake_readers() {
    const auto self = shared_from_this();  // a reader may let go of the last reference
    const std::size_t count = readers_.size();
    ++waking_;
    for (std::size_t i = 0; i < count; ++i) {
        if (readers_[i].key != 0) readers_[i].wake();
    }
    --waking_;
    sweep();
}

void TurnFeed::sweep() {
    if (waking_ > 0) return;
    std::erase_if(readers_, [](const Reader& reader) { return reader.key == 0; });
}

TurnFeed::Subscription TurnFeed::subscribe(std::function<void()> wake) {
    readers_.push_back({next_key_, std::move(wake)});
    return Subscription(shared_from_this(), next_key_++);
}

void TurnFeed::unsubscribe(std::uint64_t key) {
    const auto found = std::ranges::find(readers_, key, &Reader::key);
    if (found != readers_.end()) found->key = 0;
    sweep();
}

TurnFeed::Subscription& TurnFeed::Subscription::operator=(Subscription&& other) noexcept {
    if (this != &other) {
        reset();
        feed_ = std::move(other.feed_);
        key_ = other.key_;
    }
    return *this;
}

void TurnFeed::Subscription::reset() {
    if (const auto feed = std::exchange(feed_, nullptr)) feed->unsubscribe(key_);
}

}  // namespace notso::services
