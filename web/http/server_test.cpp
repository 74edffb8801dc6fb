// The server over real sockets: requests, keep-alive, streams. Limits have a file of their own.
#include "web/http/server.hpp"

#include <gtest/gtest.h>

#include "web/http/test_server.hpp"

namespace notso::web {
namespace {

std::vector<Route> routes() {
    return {echo_route(Method::kGet, "/hello"),
            echo_route(Method::kGet, "/items/{id}"),
            echo_route(Method::kPost, "/small"),
            echo_route(Method::kPost, "/large", BodyLimit::kChat)};
}

TEST(Server, AnswersWithSecurityHeaders) {
    TestServer server(routes());
    for (const char* path : {"/hello", "/nowhere", "/small", "/items/%00"}) {
        const auto response = RawClient(server.port()).ask(get_request(path));
        EXPECT_GT(response.status, 0) << path;
        EXPECT_TRUE(response.complete) << path;
        EXPECT_EQ(response.header("x-content-type-options"), "nosniff") << path;
        EXPECT_NE(response.header("content-security-policy").find("default-src 'none'"),
                  std::string::npos)
            << path;
        EXPECT_EQ(response.header("cross-origin-opener-policy"), "same-origin") << path;
        EXPECT_EQ(response.header("cache-control"), "no-store") << path;
        EXPECT_EQ(response.header("x-request-id").size(), 32U) << path;
    }
}

TEST(Server, FindsRoutes) {
    TestServer server(routes());
    RawClient client(server.port());
    EXPECT_EQ(client.ask(get_request("/hello?x=1")).body, "GET /hello 0");
    EXPECT_EQ(client.ask(get_request("/items/a%20b")).body, "GET /items/a b 0");
    EXPECT_EQ(client.ask(post_request("/small", "12345")).body, "POST /small 5");
    EXPECT_EQ(RawClient(server.port()).ask(get_request("/nowhere")).status, 404);
    const auto wrong_method = RawClient(server.port()).ask(get_request("/small"));
    EXPECT_EQ(wrong_method.status, 405);
    EXPECT_EQ(wrong_method.header("allow"), "POST");
    EXPECT_EQ(RawClient(server.port()).ask(post_request("/hello", "")).header("allow"),
              "GET, HEAD");
}

TEST(Server, HeadHasTheHeadersOfGet) {
    TestServer server(routes());
    RawClient client(server.port());
    client.send("HEAD /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const auto head = client.read_response(true);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.header("content-length"), "13");
    EXPECT_EQ(client.ask(get_request("/hello")).body, "GET /hello 0");
}

TEST(Server, ThousandRequestsOnOneConnection) {
    TestServer server(routes());
    RawClient client(server.port());
    for (int i = 0; i < 1000; ++i) {
        ASSERT_EQ(client.ask(get_request(fmt::format("/items/{}", i))).body,
                  fmt::format("GET /items/{} 0", i));
    }
    EXPECT_EQ(server.connections(), 1U);
}

TEST(Server, PipelinedRequestsAreAnsweredInOrder) {
    TestServer server(routes());
    RawClient client(server.port());
    std::string all;
    for (int i = 0; i < 200; ++i) {
        all += i % 2 == 0 ? get_request(fmt::format("/items/{}", i))
                          : post_request("/small", std::string(i, 'x'));
    }
    client.send(all);
    for (int i = 0; i < 200; ++i) {
        const auto wanted =
            i % 2 == 0 ? fmt::format("GET /items/{} 0", i) : fmt::format("POST /small {}", i);
        ASSERT_EQ(client.read_response().body, wanted);
    }
}

TEST(Server, OldClientsCloseUnlessTheyAskForMore) {
    TestServer server(routes());
    RawClient old(server.port());
    EXPECT_EQ(old.ask("GET /hello HTTP/1.0\r\n\r\n").header("connection"), "close");
    EXPECT_TRUE(old.closed_within(1000));
    RawClient keeping(server.port());
    keeping.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(keeping.read_response().header("connection"), "keep-alive");
    EXPECT_EQ(keeping.ask(get_request("/hello", "Connection: close\r\n")).header("connection"),
              "close");
    EXPECT_TRUE(keeping.closed_within(1000));
}

TEST(Server, ContinuesWhenAskedTo) {
    TestServer server(routes());
    RawClient client(server.port());
    client.send(
        "POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: "
        "100-continue\r\n\r\n");
    EXPECT_EQ(client.read_response().status, 100);
    client.send("abc");
    EXPECT_EQ(client.read_response().body, "POST /small 3");
}

TEST(Server, RefusesForeignHostsAndOrigins) {
    TestServer server(routes());
    EXPECT_EQ(
        RawClient(server.port()).ask("GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n").status,
        403);
    EXPECT_EQ(RawClient(server.port())
                  .ask("GET http://evil.example/hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
                  .status,
              403);
    EXPECT_EQ(RawClient(server.port())
                  .ask("GET http://localhost/hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
                  .status,
              200);
    const std::string write =
        "POST /small HTTP/1.1\r\nHost: localhost:3000\r\nContent-Length: 0\r\n";
    EXPECT_EQ(RawClient(server.port()).ask(write + "Origin: http://evil.example\r\n\r\n").status,
              403);
    EXPECT_EQ(RawClient(server.port()).ask(write + "Origin: null\r\n\r\n").status, 403);
    EXPECT_EQ(RawClient(server.port()).ask(write + "Sec-Fetch-Site: cross-site\r\n\r\n").status,
              403);
    EXPECT_EQ(RawClient(server.port()).ask(write + "Origin: http://localhost:3000\r\n\r\n").status,
              200);
}

TEST(Server, HandlerFailureIsAnErrorPage) {
    Route route{Method::kGet, "/throw", [](Exchange&) -> Awaitable<> {
                    throw std::runtime_error("secret");
                }};
    Route silent{Method::kGet, "/silent", [](Exchange&) -> Awaitable<> { co_return; }};
    TestServer server({route, silent});
    const auto thrown = RawClient(server.port()).ask(get_request("/throw"));
    EXPECT_EQ(thrown.status, 500);
    EXPECT_EQ(thrown.body.find("secret"), std::string::npos);
    EXPECT_EQ(RawClient(server.port()).ask(get_request("/silent")).status, 500);
}

}  // namespace
}  // namespace notso::web
