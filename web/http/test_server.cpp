#include "web/http/test_server.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/post.hpp>
#include <future>

#include "base/clock.hpp"
#include "web/http/url.hpp"

namespace notso::web {
namespace {

constexpr int kPatienceMs = 10'000;

}  // namespace

TestServer::TestServer() : work_(io_.get_executor()), thread_([this] { io_.run(); }) {}

TestServer::TestServer(std::vector<Route> routes, ServerOptions options) : TestServer() {
    start(std::move(routes), std::move(options));
}

TestServer::~TestServer() { stop(); }

void TestServer::start(std::vector<Route> routes, ServerOptions options) {
    options.port = 0;
    std::promise<void> done;
    boost::asio::post(io_, [&] {
        auto server = Server::listen(io_, std::move(options), std::move(routes));
        EXPECT_TRUE(server.has_value()) << (server ? "" : server.error().detail);
        if (server) server_ = std::move(*server);
        done.set_value();
    });
    done.get_future().wait();
    port_ = server_ ? server_->port() : 0;
}

void TestServer::stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(io_, [this] {
        server_.reset();
        work_.reset();
    });
    thread_.join();
}

void TestServer::close() {
    std::promise<void> done;
    boost::asio::post(io_, [&] {
        server_->close();
        done.set_value();
    });
    done.get_future().wait();
}

std::size_t TestServer::connections() {
    std::promise<std::size_t> count;
    boost::asio::post(io_, [&] { count.set_value(server_->connections()); });
    return count.get_future().get();
}

bool TestServer::wait_for_connections(std::size_t count) {
    for (int i = 0; i < 1000; ++i) {
        if (connections() == count) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
}

std::string RawResponse::header(std::string_view name) const {
    std::string_view rest = head;
    while (!rest.empty()) {
        const auto end = std::min(rest.find("\r\n"), rest.size());
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 2, rest.size()));
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || to_lower(line.substr(0, colon)) != name) continue;
        return std::string(trim(line.substr(colon + 1)));
    }
    return {};
}

RawClient::RawClient(std::uint16_t port, int receive_buffer)
    : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0)
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

RawClient::~RawClient() { ::close(fd_); }

bool RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool RawClient::more(int timeout_ms) {
    pollfd waiting{fd_, POLLIN, 0};
    if (::poll(&waiting, 1, timeout_ms) <= 0) return false;
    std::array<char, 65536> bytes;
    const auto count = ::recv(fd_, bytes.data(), bytes.size(), 0);
    if (count <= 0) return false;
    buffer_.append(bytes.data(), static_cast<std::size_t>(count));
    return true;
}

RawResponse RawClient::read_response(bool head_only) {
    RawResponse response;
    while (buffer_.find("\r\n\r\n") == std::string::npos) {
        if (!more(kPatienceMs)) return response;
    }
    const auto end = buffer_.find("\r\n\r\n");
    response.head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    response.status = std::stoi(response.head.substr(9, 3));
    response.complete = true;
    if (head_only || response.status < 200 || response.status == 204) return response;
    if (response.header("transfer-encoding") == "chunked") {
        response.complete = read_chunks(response.body);
        return response;
    }
    const std::string length = response.header("content-length");
    const std::size_t wanted = length.empty() ? std::string::npos : std::stoul(length);
    while (buffer_.size() < wanted && more(kPatienceMs)) {
    }
    response.body = buffer_.substr(0, wanted);
    response.complete = length.empty() || response.body.size() == wanted;
    buffer_.erase(0, response.body.size());
    return response;
}

bool RawClient::read_chunks(std::string& body) {
    while (true) {
        std::size_t end = 0;
        while ((end = buffer_.find("\r\n")) == std::string::npos) {
            if (!more(kPatienceMs)) return false;
        }
        const std::size_t size = std::stoul(buffer_.substr(0, end), nullptr, 16);
        while (buffer_.size() < end + 2 + size + 2) {
            if (!more(kPatienceMs)) return false;
        }
        body.append(buffer_, end + 2, size);
        buffer_.erase(0, end + 2 + size + 2);
        if (size == 0) return true;
    }
}

std::string RawClient::read_some(std::size_t limit, int quiet_ms) {
    while (buffer_.size() < limit && more(quiet_ms)) {
    }
    std::string out = buffer_.substr(0, limit);
    buffer_.erase(0, out.size());
    return out;
}

bool RawClient::closed_within(int timeout_ms) {
    const auto end = SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
    while (SteadyClock::now() < end) {
        pollfd waiting{fd_, POLLIN, 0};
        if (::poll(&waiting, 1, 10) <= 0) continue;
        std::array<char, 65536> bytes;
        if (::recv(fd_, bytes.data(), bytes.size(), 0) <= 0) return true;
    }
    return false;
}

void RawClient::reset() {
    const linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    ::close(fd_);
    fd_ = -1;
}

std::string get_request(std::string_view path, std::string_view more) {
    return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", path, more);
}

std::string post_request(std::string_view path,
                         std::string_view body,
                         std::string_view content_type) {
    return fmt::format(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n{}",
        path,
        content_type,
        body.size(),
        body);
}

Route echo_route(Method method, std::string pattern, BodyLimit body) {
    Route route{method, std::move(pattern), {}};
    route.body = body;
    route.handler = [](Exchange& exchange) {
        const Request& request = exchange.request();
        Response response;
        response.content_type = "text/plain";
        response.body =
            fmt::format("{} {} {}", to_string(request.method), request.path, request.body.size());
        return exchange.respond(std::move(response));
    };
    return route;
}

}  // namespace notso::web
