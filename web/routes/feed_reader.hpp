// FeedReader: how a response follows an answer: waits for news, but not longer than the heartbeat,
// and not more often than the batch interval. Lives on the io thread, in the coroutine that writes
// the response.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>

#include "base/clock.hpp"
#include "services/chat/turn_feed.hpp"
#include "web/http/exchange.hpp"

namespace notso::web {

/// Between two writes of a stream, at least.
inline constexpr std::chrono::milliseconds kBatchInterval{50};
/// Without news a stream says so at least this often.
inline constexpr std::chrono::seconds kHeartbeatInterval{15};

class FeedReader {
  public:
    /// Must be awaited before anything else: needs the coroutine's executor.
    static Awaitable<std::unique_ptr<FeedReader>> open(Exchange& exchange,
                                                       std::shared_ptr<services::TurnFeed> feed);

    const services::TurnFeed& feed() const { return *feed_; }

    /// Waits until the feed is past `seq`, the client is gone, or the heartbeat is due. True when
    /// there is news.
    Awaitable<bool> wait_for_news(std::uint64_t seq);
    /// Waits until the next write may happen; not at all for the first one, nor when `urgent`.
    Awaitable<> pace(bool urgent);
    bool gone() const { return state_->gone; }

  private:
    struct State {
        explicit State(boost::asio::any_io_executor io) : timer(std::move(io)) {}
        boost::asio::steady_timer timer;
        bool gone = false;
    };

    FeedReader(boost::asio::any_io_executor io, std::shared_ptr<services::TurnFeed> feed);
    Awaitable<> sleep(std::chrono::steady_clock::duration time);

    std::shared_ptr<services::TurnFeed> feed_;
    std::shared_ptr<State> state_;
    services::TurnFeed::Subscription subscription_;
    SteadyClock::time_point next_write_ = {};
    bool pacing_ = false;  // a wake-up must not cut the pause between two writes short
};

}  // namespace notso::web
