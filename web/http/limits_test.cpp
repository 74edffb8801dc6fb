// Every HTTP limit over real sockets: at it, just over, far over; slow and vanishing clients.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/clock.hpp"
#include "web/http/test_server.hpp"

namespace notso::web {
namespace {

namespace asio = boost::asio;

std::vector<Route> routes() {
    return {echo_route(Method::kGet, "/hello"),
            echo_route(Method::kPost, "/small"),
            echo_route(Method::kPost, "/large", BodyLimit::kChat)};
}

/// Fast time-outs, so that tests of slowness are quick.
ServerOptions impatient() {
    ServerOptions options;
    options.limits.header_timeout_ms = 200;
    options.limits.body_idle_timeout_ms = 200;
    options.limits.keep_alive_timeout_ms = 300;
    options.limits.write_stall_timeout_ms = 300;
    return options;
}

std::string chunked_request(std::string_view path, std::string_view chunks) {
    return fmt::format(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        path,
        chunks);
}

std::string one_chunk(std::size_t size) {
    return fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", size, std::string(size, 'x'));
}

int status_of(TestServer& server, const std::string& request) {
    return RawClient(server.port()).ask(request).status;
}

TEST(HttpLimits, RequestLineAndHeaders) {
    TestServer server(routes());
    const std::size_t line =
        HttpLimits().request_line_bytes - std::string_view("GET  HTTP/1.1").size();
    EXPECT_EQ(status_of(server, get_request("/" + std::string(line - 1, 'a'))), 404);
    EXPECT_EQ(status_of(server, get_request("/" + std::string(line, 'a'))), 414);
    EXPECT_EQ(status_of(server, get_request("/" + std::string(8 * 1024 * 1000, 'a'))), 414);
    const std::size_t block =
        HttpLimits().header_bytes - std::string_view("Host: localhost\r\nA: \r\n").size();
    EXPECT_EQ(status_of(server, get_request("/hello", "A: " + std::string(block, 'a') + "\r\n")),
              200);
    EXPECT_EQ(
        status_of(server, get_request("/hello", "A: " + std::string(block + 1, 'a') + "\r\n")),
        431);
    EXPECT_EQ(status_of(server,
                        get_request("/hello", "A: " + std::string(16 * 1024 * 1000, 'a') + "\r\n")),
              431);
    std::string headers;
    for (int i = 0; i < 99; ++i) headers += "A: b\r\n";
    EXPECT_EQ(status_of(server, get_request("/hello", headers)), 200);
    EXPECT_EQ(status_of(server, get_request("/hello", headers + "A: b\r\n")), 431);
}

TEST(HttpLimits, Bodies) {
    TestServer server(routes());
    const struct {
        const char* path;
        std::size_t limit;
    } cases[] = {{"/small", 256 * 1024}, {"/large", 4 * 1024 * 1024}};
    for (const auto& [path, limit] : cases) {
        EXPECT_EQ(RawClient(server.port()).ask(post_request(path, std::string(limit, 'x'))).body,
                  fmt::format("POST {} {}", path, limit));
        EXPECT_EQ(status_of(server, post_request(path, std::string(limit + 1, 'x'))), 413) << path;
        EXPECT_EQ(RawClient(server.port()).ask(chunked_request(path, one_chunk(limit))).status, 200)
            << path;
        EXPECT_EQ(status_of(server, chunked_request(path, one_chunk(limit + 1))), 413) << path;
        const auto far =
            fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
                        path,
                        limit * 1000);
        EXPECT_EQ(status_of(server, far), 413) << path;
        EXPECT_EQ(status_of(server, chunked_request(path, fmt::format("{:x}\r\n", limit * 1000))),
                  413)
            << path;
    }
}

TEST(HttpLimits, MalformedRequestsAreAnsweredAndClosed) {
    TestServer server(routes());
    const std::string post = "POST /small HTTP/1.1\r\nHost: localhost\r\n";
    for (const std::string& text :
         {post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          post + "A: b\r\n folded\r\n\r\n",
          post + "A: b\rc\r\n\r\n",
          post + "A: b\n\r\n",
          post + std::string("A: \0\r\n\r\n", 9),
          post + "Transfer-Encoding: xchunked\r\n\r\n",
          chunked_request("/small", "+5\r\nhello\r\n0\r\n\r\n"),
          chunked_request("/small", "0x5\r\nhello\r\n0\r\n\r\n"),
          chunked_request("/small", "5_0\r\nhello\r\n0\r\n\r\n"),
          std::string("GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
          std::string("\x16\x03\x01\x02\x00\x01\x00", 7)}) {
        RawClient client(server.port());
        // What is smuggled behind must never be answered as a request of its own.
        client.send(text + get_request("/hello"));
        const auto response = client.read_response();
        EXPECT_EQ(response.status, 400) << text;
        EXPECT_EQ(response.header("connection"), "close") << text;
        EXPECT_EQ(client.read_response().status, 0) << text;
    }
}

TEST(HttpLimits, SlowClientsAreTimedOut) {
    TestServer server(routes(), impatient());
    RawClient silent(server.port());
    EXPECT_TRUE(silent.closed_within(2000));
    RawClient slow_head(server.port());
    slow_head.send("GET /hello HTTP/1.1\r\nHost:");
    EXPECT_EQ(slow_head.read_response().status, 408);
    RawClient slow_body(server.port());
    slow_body.send("POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
    EXPECT_EQ(slow_body.read_response().status, 408);
    RawClient idle(server.port());
    EXPECT_EQ(idle.ask(get_request("/hello")).status, 200);
    EXPECT_TRUE(idle.closed_within(2000));
}

TEST(HttpLimits, DrippingAHeadDoesNotHelp) {
    TestServer server(routes(), impatient());
    RawClient client(server.port());
    bool open = client.send("GET /hello HTTP/1.1\r\nA: ");
    for (int i = 0; i < 100 && open; ++i) {
        open = client.send("a") && !client.closed_within(20);
    }
    EXPECT_FALSE(open);
}

TEST(HttpLimits, ConnectionsInAllAndPerAddress) {
    ServerOptions options;
    options.limits.connections_per_address = 4;
    TestServer server(routes(), options);
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(std::make_unique<RawClient>(server.port()));
        EXPECT_EQ(clients.back()->ask(get_request("/hello")).status, 200);
    }
    const auto refused = RawClient(server.port()).ask(get_request("/hello"));
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.header("retry-after"), "1");
    EXPECT_EQ(refused.header("x-content-type-options"), "nosniff");
    clients.pop_back();
    ASSERT_TRUE(server.wait_for_connections(3));
    EXPECT_EQ(status_of(server, get_request("/hello")), 200);
}

/// Streams pieces until the client is gone; counts what the server took.
struct Flood {
    std::atomic<std::size_t> bytes = 0;
    std::atomic<bool> ended = false;

    Route route(std::size_t piece_bytes) {
        return {Method::kGet, "/flood", [this, piece_bytes](Exchange& exchange) {
                    return run(exchange, piece_bytes);
                }};
    }

    Awaitable<> run(Exchange& exchange, std::size_t piece_bytes) {
        Response head;
        auto ok = co_await exchange.start_stream(std::move(head));
        const std::string piece(piece_bytes, 'x');
        asio::steady_timer pause(co_await asio::this_coro::executor);
        while (ok) {
            bytes += piece_bytes;
            ok = co_await exchange.write(piece);
            pause.expires_after(std::chrono::microseconds(10));
            co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
        }
        ended = true;
    }

    bool ends_within(int ms) const {
        for (int i = 0; i < ms && !ended; i += 5)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return ended;
    }
};

TEST(HttpLimits, SlowReadersAreDropped) {
    Flood flood;
    ServerOptions options;
    options.limits.write_stall_timeout_ms = 60'000;  // the bytes must do it, not the clock
    TestServer server({flood.route(32 * 1024), echo_route(Method::kGet, "/hello")}, options);
    RawClient reader(server.port(), 4096);
    reader.send(get_request("/flood"));
    EXPECT_TRUE(flood.ends_within(5000));
    EXPECT_LT(flood.bytes, 32U * 1024 * 1024) << "the system's own buffers, and 256 KiB of ours";
    EXPECT_EQ(status_of(server, get_request("/hello")), 200);
}

TEST(HttpLimits, StalledReadersAreDropped) {
    Flood flood;
    ServerOptions options = impatient();
    options.limits.unsent_stream_bytes = std::size_t{1} << 40;
    TestServer server({flood.route(32 * 1024)}, options);
    RawClient reader(server.port(), 4096);
    reader.send(get_request("/flood"));
    EXPECT_TRUE(flood.ends_within(5000));
}

TEST(HttpLimits, PiecesLargerThanTheLimitWaitForTheReader) {
    Flood flood;
    TestServer server({flood.route(1024 * 1024)});
    RawClient reader(server.port(), 4096);
    reader.send(get_request("/flood"));
    const auto head = reader.read_some(1000, 1000);
    EXPECT_NE(head.find("Transfer-Encoding: chunked"), std::string::npos);
    EXPECT_EQ(reader.read_some(20 * 1024 * 1024, 2000).size(), 20U * 1024 * 1024);
}

TEST(HttpLimits, DisconnectIsNoticedAtOnce) {
    std::atomic<bool> noticed = false;
    std::atomic<bool> waiting = false;
    Route route{Method::kGet, "/wait", [&](Exchange& exchange) -> Awaitable<> {
                    auto timer = std::make_shared<asio::steady_timer>(
                        co_await asio::this_coro::executor, std::chrono::seconds(30));
                    exchange.on_disconnect([timer, &noticed] {
                        noticed = true;
                        timer->cancel();
                    });
                    waiting = true;
                    co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
                }};
    TestServer server({route});
    for (const bool hard : {false, true}) {
        noticed = waiting = false;
        auto client = std::make_unique<RawClient>(server.port());
        // A request sent ahead must not hide the end of the connection.
        client->send(get_request("/wait") + get_request("/wait"));
        while (!waiting) std::this_thread::yield();
        const auto start = SteadyClock::now();
        hard ? client->reset() : client.reset();
        while (!noticed && SteadyClock::now() - start < std::chrono::seconds(5))
            std::this_thread::yield();
        EXPECT_TRUE(noticed);
        client.reset();
        EXPECT_TRUE(server.wait_for_connections(0));
    }
}

TEST(HttpLimits, ResetInEveryPhase) {
    Flood flood;
    auto all = routes();
    all.push_back(flood.route(1024));
    TestServer server(std::move(all));
    const std::string post = post_request("/small", std::string(1000, 'x'));
    for (std::size_t cut = 0; cut <= post.size(); cut += 7) {
        RawClient client(server.port());
        client.send(std::string_view(post).substr(0, cut));
        client.reset();
    }
    RawClient streaming(server.port());
    streaming.send(get_request("/flood"));
    streaming.read_some(5000, 1000);
    streaming.reset();
    EXPECT_TRUE(flood.ends_within(2000));
    EXPECT_TRUE(server.wait_for_connections(0));
    EXPECT_EQ(status_of(server, get_request("/hello")), 200);
}

TEST(HttpLimits, CloseEndsIdleConnectionsAndRefusesNewOnes) {
    TestServer server(routes());
    RawClient idle(server.port());
    EXPECT_EQ(idle.ask(get_request("/hello")).status, 200);
    server.close();
    EXPECT_TRUE(idle.closed_within(1000));
    EXPECT_TRUE(server.wait_for_connections(0));
}

}  // namespace
}  // namespace notso::web
