// One client's socket on the io thread: buffered input, queued output, a deadline, and a watch for
// its going away. Knows bytes and time, not HTTP. Holds no buffer while nothing is under way, so
// that idle streams stay small.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace notso::web {

class Channel : public std::enable_shared_from_this<Channel> {
  public:
    /// @param write_stall_ms  A client that takes no byte for so long is dropped.
    Channel(boost::asio::ip::tcp::socket socket, int write_stall_ms);

    enum class Read { kData, kClosed, kTimedOut };
    /// Waits for more input and appends it to input(). The deadline ends it.
    boost::asio::awaitable<Read> fill();
    /// Received bytes that nobody has taken yet.
    std::string& input() { return input_; }

    /// fill() fails with kTimedOut after this time from now; each call starts anew.
    void arm(int timeout_ms);
    void disarm();

    /// Sends now what the socket takes and queues the rest.
    void push(std::string_view bytes);
    /// Waits until nothing is queued. False when the client is gone.
    boost::asio::awaitable<bool> drain();
    std::size_t unsent() const { return output_.size() - sent_; }
    bool dead() const { return dead_; }

    /// Calls `gone` once when the client disconnects. Input that arrives meanwhile is kept, up to a
    /// bound.
    void watch(std::function<void()> gone);
    void unwatch();

    /// Ends our side, then discards what the client still sends for a while, so that it can read
    /// our answer first.
    boost::asio::awaitable<void> linger_close(int timeout_ms);
    /// Closes at once; everything under way ends.
    void kill();

  private:
    enum class Got { kData, kNothing, kEnd };
    Got read_now();
    bool write_now();
    void pump();
    void on_writable(const boost::system::error_code& failure);
    void watch_more();
    void on_readable(const boost::system::error_code& failure);
    void on_deadline();
    void release_output();

    boost::asio::ip::tcp::socket socket_;
    boost::asio::steady_timer deadline_;
    boost::asio::steady_timer drained_;  // never expires: cancelling it wakes drain()
    const int write_stall_ms_;
    std::string input_;
    std::string output_;
    std::size_t sent_ = 0;  // bytes at the front of output_ that the socket took
    std::function<void()> gone_;
    unsigned watch_epoch_ = 0;
    bool watching_ = false;
    bool pumping_ = false;
    bool timed_out_ = false;
    bool dead_ = false;
};

}  // namespace notso::web
