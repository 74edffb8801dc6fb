// For tests: a server on a loopback socket that does exactly what a test's script says, byte for
// byte. Each connection is played on a thread of its own.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/assert.hpp"

namespace notso::services {

/// One connection, seen from the server.
class RawPeer {
  public:
    explicit RawPeer(int fd) : fd_(fd) {}
    RawPeer(const RawPeer&) = delete;
    RawPeer& operator=(const RawPeer&) = delete;
    ~RawPeer() { ::close(fd_); }

    /// Reads a head and the body that its Content-Length names, or the first bytes of a TLS
    /// connection. Empty: the client went away.
    std::string read_request() {
        std::string request;
        std::size_t whole = std::string::npos;
        while (request.size() < whole) {
            std::array<char, 4096> bytes;
            const auto count = ::recv(fd_, bytes.data(), bytes.size(), 0);
            if (count <= 0) return {};
            request.append(bytes.data(), static_cast<std::size_t>(count));
            if (request.starts_with('\x16')) return request;
            const auto head_end = request.find("\r\n\r\n");
            if (head_end != std::string::npos) whole = head_end + 4 + body_bytes(request);
        }
        return request;
    }

    /// False when the client is gone.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
        return true;
    }

    /// Waits until the client (or the end of the server) closes the connection.
    void wait_until_closed() {
        std::array<char, 64> bytes;
        while (::recv(fd_, bytes.data(), bytes.size(), 0) > 0) continue;
    }

    /// Breaks the connection with RST instead of an orderly end.
    void reset() {
        const linger at_once{1, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }

    void shut_down() { ::shutdown(fd_, SHUT_RDWR); }

  private:
    static std::size_t body_bytes(std::string_view request) {
        constexpr std::string_view kField = "Content-Length: ";
        const auto at = request.find(kField);
        std::size_t size = 0;
        if (at != std::string_view::npos)
            std::from_chars(
                request.data() + at + kField.size(), request.data() + request.size(), size);
        return size;
    }

    const int fd_;
};

class RawServer {
  public:
    /// Plays one connection. @param request  What the client sent; never empty.
    using Script = std::function<void(RawPeer& peer, const std::string& request)>;

    explicit RawServer(Script script) : script_(std::move(script)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        const bool listens = fd_ >= 0 && ::bind(fd_, generic, size) == 0 &&
                             ::listen(fd_, 128) == 0 && ::getsockname(fd_, generic, &size) == 0;
        NOTSO_ASSERT(listens, "tests need a loopback socket");
        port_ = ntohs(address.sin_port);
        acceptor_ = std::thread([this] { accept_all(); });
    }
    RawServer(const RawServer&) = delete;
    RawServer& operator=(const RawServer&) = delete;
    ~RawServer() { stop(); }

    /// Ends every connection and listens no more; the scripts return first.
    void stop() {
        if (!acceptor_.joinable()) return;
        ::shutdown(fd_, SHUT_RDWR);
        acceptor_.join();
        ::close(fd_);
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
            for (RawPeer* peer : peers_) peer->shut_down();
        }
        for (std::thread& thread : threads_) thread.join();
    }

    std::uint16_t port() const { return port_; }
    std::string url(std::string_view path = "/") const {
        return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
    }

    /// What the clients sent so far.
    std::vector<std::string> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }
    /// Waits until so many requests came in all; false when they did not come in time.
    bool wait_for_requests(std::size_t count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kPatience, [&] { return requests_.size() >= count; });
    }
    /// Waits until every connection has ended.
    bool wait_until_idle() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kPatience, [&] { return peers_.empty(); });
    }

  private:
    static constexpr std::chrono::seconds kPatience{20};

    void accept_all() {
        for (;;) {
            const int fd = ::accept(fd_, nullptr, nullptr);
            if (fd < 0) return;
            threads_.emplace_back([this, fd] { play(fd); });
        }
    }

    void play(int fd) {
        RawPeer peer(fd);
        {
            const std::lock_guard lock(mutex_);
            peers_.push_back(&peer);
            if (stopping_) peer.shut_down();
        }
        if (const std::string request = peer.read_request(); !request.empty()) {
            {
                const std::lock_guard lock(mutex_);
                requests_.push_back(request);
            }
            changed_.notify_all();
            script_(peer, request);
        }
        const std::lock_guard lock(mutex_);
        std::erase(peers_, &peer);
        changed_.notify_all();
    }

    const Script script_;
    const int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> requests_;
    std::vector<RawPeer*> peers_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;  // of the acceptor until it is joined
    std::thread acceptor_;
};

}  // namespace notso::services
