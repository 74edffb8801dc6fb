// One answer of the backend as a coroutine reads it: events arrive on the backend's thread and are
// taken, in batches, on the io thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/executor.hpp"
#include "services/backend/chat_backend.hpp"
#include "web/http/exchange.hpp"

namespace notso::web {

/// Between the two threads. Once closed it never touches the io context again, so the backend may
/// outlive that.
class EventMailbox : public std::enable_shared_from_this<EventMailbox> {
  public:
    explicit EventMailbox(boost::asio::any_io_executor io)
        : io_(std::move(io)), timer_(std::in_place, io_) {}

    /// From any thread.
    void push(services::ChatEvent event);

    /// Everything that arrived since the last call; waits for something, but not longer than
    /// `patience`. Nothing when that time is over or the reading was cancelled.
    Awaitable<std::vector<services::ChatEvent>> take(std::chrono::milliseconds patience);
    /// Nobody wants the rest; wakes take().
    void cancel();
    bool cancelled() const { return cancelled_; }
    void close();

  private:
    void wake();

    boost::asio::any_io_executor io_;
    std::optional<boost::asio::steady_timer> timer_;  // io thread only; cancelled to wake take()
    bool cancelled_ = false;                          // io thread only
    std::mutex mutex_;
    std::vector<services::ChatEvent> events_;
    bool posted_ = false;
    bool closed_ = false;
};

/// Destroying it cancels the answer.
class AnswerStream {
  public:
    explicit AnswerStream(boost::asio::any_io_executor io)
        : mailbox_(std::make_shared<EventMailbox>(std::move(io))) {}
    ~AnswerStream() { mailbox_->close(); }
    AnswerStream(const AnswerStream&) = delete;
    AnswerStream& operator=(const AnswerStream&) = delete;

    /// Starts the answer; templating and tokenising happen on `compute`. @errors as
    /// ChatBackend::start.
    Awaitable<Result<>> start(services::ChatBackend& backend,
                              Executor& compute,
                              services::ChatRequest request);
    EventMailbox& events() { return *mailbox_; }
    /// For Exchange::on_disconnect; may be called after this is gone.
    std::function<void()> canceller();

  private:
    std::shared_ptr<EventMailbox> mailbox_;
    std::unique_ptr<services::ChatStream> stream_;
};

}  // namespace notso::web
