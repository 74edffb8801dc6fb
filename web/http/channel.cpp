#include "web/http/channel.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <utility>

namespace notso::web {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

constexpr std::size_t kReadSize = 16 * 1024;
/// Input that a client may send ahead while its request is being answered.
constexpr std::size_t kMaxAhead = 16 * 1024;

}  // namespace

Channel::Channel(asio::ip::tcp::socket socket, int write_stall_ms)
    : socket_(std::move(socket)),
      deadline_(socket_.get_executor()),
      drained_(socket_.get_executor(), asio::steady_timer::time_point::max()),
      write_stall_ms_(write_stall_ms) {
    error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

Channel::Got Channel::read_now() {
    std::array<char, kReadSize> bytes;
    error_code failure;
    const std::size_t count = socket_.read_some(asio::buffer(bytes), failure);
    if (failure == asio::error::would_block || failure == asio::error::try_again)
        return Got::kNothing;
    if (failure || count == 0) return Got::kEnd;
    input_.append(bytes.data(), count);
    return Got::kData;
}

asio::awaitable<Channel::Read> Channel::fill() {
    while (true) {
        if (timed_out_) co_return Read::kTimedOut;
        if (dead_) co_return Read::kClosed;
        const Got got = read_now();
        if (got == Got::kData) co_return Read::kData;
        if (got == Got::kEnd) co_return Read::kClosed;
        if (input_.empty()) input_ = std::string();  // an idle connection keeps no buffer
        const auto [failure] =
            co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, kAwait);
        if (failure && !timed_out_) co_return Read::kClosed;
    }
}

void Channel::arm(int timeout_ms) {
    timed_out_ = false;
    deadline_.expires_after(std::chrono::milliseconds(timeout_ms));
    deadline_.async_wait([self = shared_from_this()](const error_code& failure) {
        if (!failure) self->on_deadline();
    });
}

void Channel::disarm() {
    timed_out_ = false;
    deadline_.expires_at(asio::steady_timer::time_point::max());
}

void Channel::on_deadline() {
    // A wait that had already expired when the deadline moved arrives here all the same.
    if (deadline_.expiry() > asio::steady_timer::clock_type::now()) return;
    if (pumping_) return kill();
    timed_out_ = true;
    error_code ignored;
    socket_.cancel(ignored);
}

bool Channel::write_now() {
    bool progress = false;
    while (unsent() > 0) {
        error_code failure;
        const auto rest = std::string_view(output_).substr(sent_);
        const std::size_t count =
            socket_.write_some(asio::buffer(rest.data(), rest.size()), failure);
        if (failure == asio::error::would_block || failure == asio::error::try_again) break;
        if (failure) {
            kill();
            return false;
        }
        sent_ += count;
        progress = true;
    }
    if (unsent() == 0) release_output();
    return progress;
}

void Channel::release_output() {
    output_ = std::string();
    sent_ = 0;
}

void Channel::push(std::string_view bytes) {
    if (dead_) return;
    if (sent_ > output_.size() / 2) {
        output_.erase(0, sent_);
        sent_ = 0;
    }
    output_.append(bytes);
    if (pumping_) return;
    write_now();
    if (unsent() > 0) pump();
}

void Channel::pump() {
    pumping_ = true;
    arm(write_stall_ms_);
    socket_.async_wait(
        asio::ip::tcp::socket::wait_write,
        [self = shared_from_this()](const error_code& failure) { self->on_writable(failure); });
}

void Channel::on_writable(const error_code& failure) {
    if (dead_) return;
    // Cancelled waits (a watch that ended) are simply repeated; only progress moves the deadline.
    const bool progress = !failure && write_now();
    if (dead_) return;
    if (unsent() > 0) {
        if (progress) arm(write_stall_ms_);
        socket_.async_wait(
            asio::ip::tcp::socket::wait_write,
            [self = shared_from_this()](const error_code& again) { self->on_writable(again); });
        return;
    }
    pumping_ = false;
    disarm();
    drained_.cancel();
}

asio::awaitable<bool> Channel::drain() {
    while (!dead_ && unsent() > 0) co_await drained_.async_wait(kAwait);
    co_return !dead_;
}

void Channel::watch(std::function<void()> gone) {
    if (dead_) {
        gone();
        return;
    }
    gone_ = std::move(gone);
    if (!watching_) watch_more();
}

void Channel::watch_more() {
    watching_ = true;
    // Beyond the bound only a reset is noticed; reading on would let the client fill our memory.
    const auto what = input_.size() < kMaxAhead ? asio::ip::tcp::socket::wait_read
                                                : asio::ip::tcp::socket::wait_error;
    socket_.async_wait(
        what, [self = shared_from_this(), epoch = watch_epoch_](const error_code& failure) {
            if (self->watch_epoch_ == epoch) self->on_readable(failure);
        });
}

void Channel::on_readable(const error_code& failure) {
    watching_ = false;
    if (dead_) return;
    if (failure || input_.size() >= kMaxAhead || read_now() == Got::kEnd) return kill();
    watch_more();
}

void Channel::unwatch() {
    gone_ = nullptr;
    if (!watching_) return;
    watching_ = false;
    ++watch_epoch_;
    error_code ignored;
    socket_.cancel(ignored);
}

void Channel::kill() {
    if (dead_) return;
    dead_ = true;
    error_code ignored;
    socket_.close(ignored);
    deadline_.cancel();
    release_output();
    drained_.cancel();
    if (const auto gone = std::exchange(gone_, nullptr)) gone();
}

asio::awaitable<void> Channel::linger_close(int timeout_ms) {
    if (dead_) co_return;
    error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    arm(timeout_ms);
    auto got = Read::kData;
    while (got == Read::kData) {
        input_.clear();
        co_await asio::post(socket_.get_executor(),
                            asio::use_awaitable);  // a fast sender must not hold the thread
        got = co_await fill();
    }
    kill();
}

}  // namespace notso::web
