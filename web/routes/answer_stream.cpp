#include "web/routes/answer_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "web/routes/run_on.hpp"

namespace notso::web {

namespace asio = boost::asio;
using services::ChatEvent;
using services::ChatStream;

void EventMailbox::push(ChatEvent event) {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    events_.push_back(std::move(event));
    if (std::exchange(posted_, true)) return;
    asio::post(io_, [self = shared_from_this()] { self->wake(); });
}

void EventMailbox::wake() {
    if (timer_) timer_->cancel();
}

Awaitable<std::vector<ChatEvent>> EventMailbox::take(std::chrono::milliseconds patience) {
    const auto deadline = asio::steady_timer::clock_type::now() + patience;
    while (true) {
        std::vector<ChatEvent> events;
        {
            const std::lock_guard lock(mutex_);
            posted_ = false;
            events.swap(events_);
        }
        const bool late = asio::steady_timer::clock_type::now() >= deadline;
        if (!events.empty() || cancelled_ || late) co_return events;
        timer_->expires_at(deadline);
        co_await timer_->async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

void EventMailbox::cancel() {
    cancelled_ = true;
    wake();
}

void EventMailbox::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    timer_.reset();
}

Awaitable<Result<>> AnswerStream::start(services::ChatBackend& backend,
                                        Executor& compute,
                                        services::ChatRequest request) {
    using Started = Result<std::unique_ptr<ChatStream>>;
    std::move_only_function<Started()> work =
        [&backend, mailbox = mailbox_, asked = std::move(request)]() -> Started {
        return backend.start(asked,
                             [mailbox](ChatEvent event) { mailbox->push(std::move(event)); });
    };
    Started started = co_await run_on<Started>(compute, std::move(work));
    if (!started) co_return std::unexpected(std::move(started.error()));
    stream_ = std::move(*started);
    co_return Result<>{};
}

std::function<void()> AnswerStream::canceller() {
    return [mailbox = mailbox_] { mailbox->cancel(); };
}

}  // namespace notso::web
