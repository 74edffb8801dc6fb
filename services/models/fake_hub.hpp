// For tests: a hub on a loopback socket with one model file, its pointer, and the faults that
// networks have.
#pragma once

#include <algorithm>
#include <charconv>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "services/models/pull.hpp"
#include "services/models/sha256.hpp"
#include "services/net/raw_server.hpp"

namespace notso::services {

inline std::string sha256_of(std::string_view text) {
    Sha256 hash;
    hash.update(std::as_bytes(std::span(text)));
    return hash.hex();
}

/// What one answer does; set the fields before the client comes.
struct HubFault {
    std::optional<std::size_t> cut = {};  ///< Bytes of the body after which the connection ends.
    int status = 0;                       ///< Another status, without the file.
    std::string content_range = {};       ///< Instead of the true one.
};

class FakeHub {
  public:
    explicit FakeHub(std::string model) : data(std::move(model)) {}

    ModelSource source(bool with_pointer = true) const {
        return {"tiny.gguf",
                server_.url("/o/r/resolve/main/tiny.gguf"),
                with_pointer ? server_.url("/o/r/raw/main/tiny.gguf") : ""};
    }
    /// First bytes of the requests for the file: where each began.
    std::vector<std::size_t> starts() const {
        std::vector<std::size_t> starts;
        for (const std::string& request : server_.requests())
            if (request.find("/resolve/") != std::string::npos) starts.push_back(start_of(request));
        return starts;
    }
    std::vector<std::string> requests() const { return server_.requests(); }
    bool wait_for_requests(std::size_t count) { return server_.wait_for_requests(count); }
    void change(const std::function<void()>& what) {
        const std::lock_guard lock(mutex_);
        what();
    }

    // Change these under change() once a client is there.
    std::string data;
    std::string etag = "\"v1\"";
    std::string pointer = {};  ///< Empty: the true one.
    bool ranges = true;
    bool length = true;                   ///< False: ends by closing, and says no length.
    bool heeds_if_range = true;           ///< As a server should.
    std::deque<HubFault> faults = {};     ///< Of the next answers with the file.
    std::function<void()> half_way = {};  ///< Runs after the first half of an answer was sent.

  private:
    static std::string header_of(const std::string& request, std::string_view name) {
        const auto at = request.find(fmt::format("\r\n{}: ", name));
        if (at == std::string::npos) return {};
        const auto begin = at + name.size() + 4;
        return request.substr(begin, request.find("\r\n", begin) - begin);
    }
    static std::size_t start_of(const std::string& request) {
        const std::string range = header_of(request, "Range");
        std::size_t start = 0;
        if (range.starts_with("bytes="))
            std::from_chars(range.data() + 6, range.data() + range.size(), start);
        return start;
    }

    void play(RawPeer& peer, const std::string& request) {
        std::unique_lock lock(mutex_);
        if (request.find("/raw/") != std::string::npos) {
            const std::string text = pointer.empty()
                                         ? fmt::format(
                                               "version https://git-lfs.github.com/spec/v1\noid "
                                               "sha256:{}\nsize {}\n",
                                               sha256_of(data),
                                               data.size())
                                         : pointer;
            peer.send(
                fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", text.size(), text));
            return;
        }
        HubFault fault;
        if (!faults.empty()) {
            fault = faults.front();
            faults.pop_front();
        }
        if (fault.status != 0) {
            peer.send(fmt::format("HTTP/1.1 {} No\r\nContent-Length: 0\r\n\r\n", fault.status));
            return;
        }
        std::size_t start = ranges ? start_of(request) : 0;
        const std::string if_range = header_of(request, "If-Range");
        if (heeds_if_range && !if_range.empty() && if_range != etag) start = 0;
        if (start >= data.size() && start > 0) {
            peer.send("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        const std::string body = data.substr(start);
        std::string head = start > 0 ? "HTTP/1.1 206 Partial Content\r\n" : "HTTP/1.1 200 OK\r\n";
        if (length) head += fmt::format("Content-Length: {}\r\n", body.size());
        if (!etag.empty()) head += fmt::format("ETag: {}\r\n", etag);
        if (start > 0)
            head +=
                fault.content_range.empty()
                    ? fmt::format(
                          "Content-Range: bytes {}-{}/{}\r\n", start, data.size() - 1, data.size())
                    : fault.content_range;
        const std::size_t sent = std::min(body.size(), fault.cut.value_or(body.size()));
        const auto then = half_way;
        lock.unlock();
        peer.send(head + "Connection: close\r\n\r\n" + body.substr(0, sent / 2));
        if (then) then();
        peer.send(std::string_view(body).substr(sent / 2, sent - sent / 2));
    }

    std::mutex mutex_;
    RawServer server_{[this](RawPeer& peer, const std::string& request) { play(peer, request); }};
};

}  // namespace notso::services
