// For tests: a server on a free port with its own io thread, and a blocking raw-socket client.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "web/http/server.hpp"

namespace notso::web {

class TestServer {
  public:
    /// Runs the io thread only; start() makes the server.
    TestServer();
    explicit TestServer(std::vector<Route> routes, ServerOptions options = {});
    ~TestServer();

    void start(std::vector<Route> routes, ServerOptions options = {});
    /// Ends the server and the io thread; the io context stays. May be called more than once.
    void stop();

    std::uint16_t port() const { return port_; }
    boost::asio::io_context& io() { return io_; }
    /// Calls Server::close() on the io thread and waits for that.
    void close();
    std::size_t connections();
    /// Waits until so many connections are left; false after 5 s.
    bool wait_for_connections(std::size_t count);

  private:
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::unique_ptr<Server> server_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

struct RawResponse {
    int status = 0;  ///< 0: the connection ended before a status line.
    std::string head;
    std::string body;  ///< Chunks joined.
    bool complete = false;
    /// Value of a header, "" when absent. The name in lower case.
    std::string header(std::string_view name) const;
};

class RawClient {
  public:
    /// @param receive_buffer  SO_RCVBUF, 0 = the system's.
    explicit RawClient(std::uint16_t port, int receive_buffer = 0);
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    /// False when the server has closed its side.
    bool send(std::string_view bytes);
    /// Reads one response; interim ones (100) are returned as such.
    RawResponse read_response(bool head_only = false);
    /// Up to `limit` bytes of whatever comes until the end, or until nothing came for `quiet_ms`.
    std::string read_some(std::size_t limit, int quiet_ms);
    /// True when the server closes within `timeout_ms`.
    bool closed_within(int timeout_ms);
    /// Ends the connection with RST.
    void reset();

    RawResponse ask(std::string_view request) {
        send(request);
        return read_response();
    }

  private:
    bool more(int timeout_ms);
    bool read_chunks(std::string& body);

    int fd_ = -1;
    std::string buffer_;
};

/// "GET path HTTP/1.1" with a Host header and `more` (complete header lines).
std::string get_request(std::string_view path, std::string_view more = "");
std::string post_request(std::string_view path,
                         std::string_view body,
                         std::string_view content_type = "application/json");

/// A route that answers with "METHOD path body-size".
Route echo_route(Method method, std::string pattern, BodyLimit body = BodyLimit::kSmall);

}  // namespace notso::web
