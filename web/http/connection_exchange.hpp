// The Exchange of a real connection: writes the response to a Channel and knows whether the
// connection may go on.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "web/http/channel.hpp"
#include "web/http/exchange.hpp"
#include "web/http/response_writer.hpp"

namespace notso::web {

class ConnectionExchange final : public Exchange {
  public:
    struct Options {
        bool keep_alive = true;
        bool http_1_0 = false;
        std::size_t unsent_limit = 256 * 1024;
        std::optional<Header> set_cookie = {};  ///< Added to the response.
    };

    /// Both references must outlive the exchange.
    ConnectionExchange(Channel& channel, const Request& request, Options options)
        : channel_(channel), request_(request), options_(options) {}
    ~ConnectionExchange() override { channel_.unwatch(); }

    const Request& request() const override { return request_; }
    Awaitable<> respond(Response response) override;
    Awaitable<Result<>> start_stream(Response head) override;
    Awaitable<Result<>> write(std::string_view piece) override;
    Awaitable<> finish() override;
    void on_disconnect(std::function<void()> gone) override;

    /// Nothing was sent yet.
    bool unanswered() const { return phase_ == Phase::kOpen; }
    /// The response is complete.
    bool complete() const { return phase_ == Phase::kDone; }
    bool keep_alive() const { return complete() && options_.keep_alive && !channel_.dead(); }
    int status() const { return status_; }

  private:
    enum class Phase { kOpen, kStreaming, kDone };

    Channel& channel_;
    const Request& request_;
    Options options_;
    Phase phase_ = Phase::kOpen;
    bool chunked_ = false;
    bool watching_ = false;
    int status_ = 0;
};

}  // namespace notso::web
