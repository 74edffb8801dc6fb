#include "web/routes/feed_reader.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace notso::web {

namespace asio = boost::asio;

Awaitable<std::unique_ptr<FeedReader>> FeedReader::open(Exchange& exchange,
                                                        std::shared_ptr<services::TurnFeed> feed) {
    auto io = co_await asio::this_coro::executor;
    std::unique_ptr<FeedReader> reader(new FeedReader(std::move(io), std::move(feed)));
    exchange.on_disconnect([state = reader->state_] {
        state->gone = true;
        state->timer.cancel();
    });
    co_return reader;
}

FeedReader::FeedReader(asio::any_io_executor io, std::shared_ptr<services::TurnFeed> feed)
    : feed_(std::move(feed)), state_(std::make_shared<State>(std::move(io))) {
    subscription_ = feed_->subscribe([this] {
        if (!pacing_) state_->timer.cancel();
    });
}

Awaitable<> FeedReader::sleep(std::chrono::steady_clock::duration time) {
    state_->timer.expires_after(time);
    co_await state_->timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

Awaitable<bool> FeedReader::wait_for_news(std::uint64_t seq) {
    if (feed_->snapshot().seq <= seq && !gone()) co_await sleep(kHeartbeatInterval);
    co_return feed_->snapshot().seq > seq;
}

Awaitable<> FeedReader::pace(bool urgent) {
    const auto now = SteadyClock::now();
    if (!urgent && now < next_write_ && !gone()) {
        pacing_ = true;
        co_await sleep(next_write_ - now);
        pacing_ = false;
    }
    next_write_ = SteadyClock::now() + kBatchInterval;
}

}  // namespace notso::web
