// TurnFeed: what happens in one answer, as numbered events that any number of tabs can read, replay
// and follow. Lives on the io thread only: no locks.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

enum class TurnPhase { kQueued, kPrefill, kThinking, kWriting, kUsingTools, kEnded };

/// What the status pill shows.
struct TurnStatus {
    TurnPhase phase = TurnPhase::kQueued;
    std::int64_t queue_position = 0;
    std::int64_t queue_wait_ms = 0;  ///< About how long it will wait; 0 = not known.
    std::int64_t prefill_done = 0;
    std::int64_t prefill_total = 0;
    double prefill_tokens_per_second = 0;  ///< 0 = not known yet.
    std::int64_t completion_tokens = 0;
    double tokens_per_second = 0;
    std::int64_t messages_left_out =
        0;  ///< Oldest messages that did not fit in the context of this answer.
    ThinkingEndReason thinking_end = ThinkingEndReason::kModel;  ///< Of the last thoughts.
    std::string tool = {};                                       ///< Name of the one that is used.
    bool tool_asks = false;                                      ///< It waits for a person.

    bool operator==(const TurnStatus&) const = default;
};

namespace feed_event {
struct Status {
    TurnStatus status;
};
struct ThinkingText {
    std::string text;
};
struct Text {
    std::string text;
};
/// All of it, in the place of what was said before: an answer that goes on begins a little earlier
/// than it was cut, where the cut had shown what is not text (half a tag).
struct Rewritten {
    std::string thinking;
    std::string text;
};
/// The messages that wait for the end of this answer, all of them.
struct Line {
    std::vector<WaitingMessage> waiting;
};
/// The whole list, as it is now; what is written from here on stands behind it.
struct ToolUses {
    std::vector<ToolUse> uses;
};
struct Ended {
    Message message;            ///< The answer as stored.
    bool more_follows = false;  ///< Something is being made of it: see ChatService::when_settled.
    bool can_continue = false;  ///< It was cut, and its model can go on with it.
};
}  // namespace feed_event
using FeedEventBody = std::variant<feed_event::Status,
                                   feed_event::ThinkingText,
                                   feed_event::Text,
                                   feed_event::Rewritten,
                                   feed_event::Line,
                                   feed_event::ToolUses,
                                   feed_event::Ended>;

struct FeedEvent {
    std::uint64_t seq = 0;  ///< Counts up by 1 within the turn.
    FeedEventBody body;
};

/// Everything shown so far, as of event `seq`.
struct FeedSnapshot {
    std::uint64_t seq = 0;
    TurnStatus status;
    std::string thinking;
    double thinking_ms = 0;  ///< So far, or in all once it ended.
    bool thinking_open = false;
    std::string text;
    std::vector<ToolUse> tool_uses;
    std::uint64_t rewritten_seq = 0;  ///< Of the last feed_event::Rewritten; 0 = there was none.
    std::uint64_t tools_seq = 0;      ///< Of the last feed_event::ToolUses; 0 = there was none.
    std::vector<WaitingMessage> waiting;
    std::uint64_t line_seq = 0;  ///< Of the last feed_event::Line; 0 = there was none.
    std::optional<Message> ended;
    bool more_follows = false;  ///< As in feed_event::Ended.
    bool can_continue = false;  ///< The same.
};

class TurnFeed : public std::enable_shared_from_this<TurnFeed> {
  public:
    TurnFeed(MessageId answer, ConversationKey conversation)
        : answer_(std::move(answer)), conversation_(std::move(conversation)) {}

    /// The answer's message id; event ids on the wire are `<answer>-<seq>`.
    const MessageId& answer() const { return answer_; }
    const ConversationKey& conversation() const { return conversation_; }

    /// Events have numbers above `seq`, so that no reader takes them for those of an earlier feed
    /// of the same answer. Before the first event.
    void begin_at(std::uint64_t seq);
    /// Takes what has happened since; nothing may follow feed_event::Ended.
    void append(FeedEventBody body);
    const FeedSnapshot& snapshot() const { return snapshot_; }
    bool ended() const { return snapshot_.ended.has_value(); }

    /// Events after `seq`, oldest first; empty optional when they are no longer kept (use the
    /// snapshot).
    std::optional<std::vector<FeedEvent>> since(std::uint64_t seq) const;

    /// Length of the answer's text and of the thinking (bytes) as of event `seq`, so that a reader
    /// that returns knows which finished blocks it has. Empty when `seq` is unknown.
    struct Extent {
        std::size_t text = 0;
        std::size_t thinking = 0;
    };
    std::optional<Extent> extent_at(std::uint64_t seq) const;

    /// Calls `wake` after each append until the subscription dies. `wake` must not touch the feed;
    /// it schedules.
    class Subscription {
      public:
        Subscription() = default;
        Subscription(std::shared_ptr<TurnFeed> feed, std::uint64_t key)
            : feed_(std::move(feed)), key_(key) {}
        Subscription(Subscription&& other) noexcept
            : feed_(std::move(other.feed_)), key_(other.key_) {}
        Subscription& operator=(Subscription&& other) noexcept;
        ~Subscription() { reset(); }
        void reset();

      private:
        std::shared_ptr<TurnFeed> feed_;
        std::uint64_t key_ = 0;
    };
    Subscription subscribe(std::function<void()> wake);

  private:
    struct Reader {
        std::uint64_t key = 0;  // 0: unsubscribed, to be swept
        std::function<void()> wake;
    };
    void absorb(const FeedEventBody& body);
    void wake_readers();
    void unsubscribe(std::uint64_t key);
    void sweep();

    MessageId answer_;
    ConversationKey conversation_;
    FeedSnapshot snapshot_;
    std::deque<FeedEvent> events_;
    std::size_t kept_bytes_ = 0;
    std::uint64_t first_seq_ = 0;
    std::vector<Extent> extents_ = {Extent{}};  // [seq - first_seq_]
    std::deque<Reader> readers_;  // a deque: growing it never moves a callback that is running
    int waking_ = 0;
    std::uint64_t next_key_ = 1;
    std::optional<SteadyClock::time_point> thinking_since_;
};

}  // namespace notso::services
