// The HTTP client against a server that does what a test says: answers, redirects, limits,
// time-outs, cancellation.
#include "services/net/http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "services/net/raw_server.hpp"

namespace notso::services {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string reply(std::string_view status, std::string_view fields, std::string_view body) {
    return fmt::format(
        "HTTP/1.1 {}\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), fields, body);
}

RawServer::Script says(std::string bytes) {
    return [bytes = std::move(bytes)](RawPeer& peer, const std::string&) { peer.send(bytes); };
}

Error failure(const HttpRequest& request, const HttpHandlers& handlers = {}) {
    auto result = fetch(request, handlers);
    EXPECT_FALSE(result.has_value());
    return result ? Error{} : result.error();
}

TEST(HttpClientTest, CollectsAnAnswer) {
    RawServer server(says(reply("404 Not Found", "X-Thing:  a b \r\n", "nothing here")));
    const auto answer = fetch({.url = server.url("/x?y=1"), .headers = {{"Accept", "text/plain"}}});
    ASSERT_TRUE(answer.has_value()) << answer.error().detail;
    EXPECT_EQ(answer->head.status, 404);
    EXPECT_EQ(answer->head.find("x-thing"), "a b");
    EXPECT_EQ(answer->body, "nothing here");
    EXPECT_THAT(server.requests().at(0), HasSubstr("GET /x?y=1 HTTP/1.1\r\n"));
    EXPECT_THAT(server.requests().at(0), HasSubstr("Accept: text/plain\r\n"));
    EXPECT_THAT(server.requests().at(0), Not(HasSubstr("Authorization")));
}

TEST(HttpClientTest, PostsABodyWithItsKey) {
    RawServer server(says(reply("200 OK", "", "fine")));
    const std::string body(100'000, 'b');
    const auto answer =
        fetch({.method = "POST", .url = server.url(), .key = "s3cret", .body = body});
    ASSERT_TRUE(answer.has_value()) << answer.error().detail;
    const std::string sent = server.requests().at(0);
    EXPECT_TRUE(sent.ends_with("\r\n\r\n" + body));
    EXPECT_THAT(sent.substr(0, 500), HasSubstr("Authorization: Bearer s3cret\r\n"));
    EXPECT_THAT(sent.substr(0, 500), Not(HasSubstr("Expect")));
}

TEST(HttpClientTest, GivesPiecesAsTheyArrive) {
    RawServer server([](RawPeer& peer, const std::string&) {
        peer.send(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
            "chunked\r\n\r\n3\r\none\r\n");
        peer.send("3\r\ntwo\r\n0\r\nX-Trailer: t\r\n\r\n");
    });
    std::vector<int> heads;
    std::string text;
    const auto answer = fetch({.url = server.url()},
                              {.on_head =
                                   [&](const HttpHead& head) {
                                       heads.push_back(head.status);
                                       return HttpFlow::kContinue;
                                   },
                               .on_data =
                                   [&](std::span<const char> bytes) {
                                       text.append(bytes.data(), bytes.size());
                                       return HttpFlow::kContinue;
                                   }});
    ASSERT_TRUE(answer.has_value()) << answer.error().detail;
    EXPECT_EQ(heads, std::vector{200});
    EXPECT_EQ(text, "onetwo");
    EXPECT_TRUE(answer->body.empty());
    EXPECT_FALSE(answer->stopped);
}

TEST(HttpClientTest, AHandlerMayStop) {
    RawServer server([](RawPeer& peer, const std::string&) {
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
        peer.wait_until_closed();
    });
    auto at_head =
        fetch({.url = server.url()}, {.on_head = [](const HttpHead&) { return HttpFlow::kStop; }});
    ASSERT_TRUE(at_head.has_value()) << at_head.error().detail;
    EXPECT_TRUE(at_head->stopped);
    auto at_data = fetch({.url = server.url()},
                         {.on_data = [](std::span<const char>) { return HttpFlow::kStop; }});
    ASSERT_TRUE(at_data.has_value()) << at_data.error().detail;
    EXPECT_TRUE(at_data->stopped);
    EXPECT_TRUE(server.wait_until_idle());
}

TEST(HttpClientTest, AsksForTheRest) {
    RawServer server(says(reply("206 Partial Content", "Content-Range: bytes 5-7/8\r\n", "567")));
    const auto answer = fetch({.url = server.url(), .resume_from = 5});
    ASSERT_TRUE(answer.has_value()) << answer.error().detail;
    EXPECT_EQ(answer->head.status, 206);
    EXPECT_THAT(server.requests().at(0), HasSubstr("Range: bytes=5-\r\n"));
}

TEST(HttpClientTest, AsksForTheHeadOnly) {
    RawServer server(says("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
    const auto answer = fetch({.method = "HEAD", .url = server.url()});
    ASSERT_TRUE(answer.has_value()) << answer.error().detail;
    EXPECT_EQ(answer->head.find("Content-Length"), "1000");
}

TEST(HttpClientTest, FollowsRedirectsAndKeepsTheKeyFromOtherHosts) {
    RawServer target(says(reply("200 OK", "", "arrived")));
    RawServer first([&](RawPeer& peer, const std::string& request) {
        const std::string to = request.starts_with("GET /a ") ? "/b" : target.url("/c");
        peer.send(reply("302 Found", "Location: " + to + "\r\n", "go on"));
    });
    std::vector<int> heads;
    const auto answer = fetch({.url = first.url("/a"), .key = "s3cret", .max_redirects = 2},
                              {.on_head = [&](const HttpHead& head) {
                                  heads.push_back(head.status);
                                  return HttpFlow::kContinue;
                              }});
    ASSERT_TRUE(answer.has_value()) << answer.error().detail;
    EXPECT_EQ(answer->body, "arrived");
    EXPECT_EQ(answer->head.url, target.url("/c"));
    EXPECT_EQ(heads, std::vector{200});
    EXPECT_THAT(first.requests().at(1), HasSubstr("s3cret"));
    EXPECT_THAT(target.requests().at(0), Not(HasSubstr("s3cret")));
}

TEST(HttpClientTest, TheKeyDoesNotComeBackAfterADetour) {
    std::string back;
    RawServer other([&](RawPeer& peer, const std::string&) {
        peer.send(reply("302 Found", "Location: " + back + "\r\n", ""));
    });
    RawServer first([&](RawPeer& peer, const std::string& request) {
        peer.send(request.starts_with("GET /a ")
                      ? reply("302 Found", "Location: " + other.url() + "\r\n", "")
                      : reply("200 OK", "", "ok"));
    });
    back = first.url("/chosen-by-the-other");
    ASSERT_TRUE(fetch({.url = first.url("/a"), .key = "s3cret", .max_redirects = 5}).has_value());
    EXPECT_THAT(first.requests().at(1), Not(HasSubstr("s3cret")));
}

TEST(HttpClientTest, RedirectsStayOnTheWebAndEnd) {
    std::string location = "file:///etc/passwd";
    RawServer server([&](RawPeer& peer, const std::string&) {
        peer.send(reply("302 Found", "Location: " + location + "\r\n", ""));
    });
    EXPECT_EQ(failure({.url = server.url(), .max_redirects = 5}).code, ErrorCode::kInvalidArgument);
    location = "/again";
    const Error endless = failure({.url = server.url(), .max_redirects = 3});
    EXPECT_EQ(endless.code, ErrorCode::kUnavailable);
    EXPECT_THAT(endless.detail, HasSubstr("more than 3 times"));
    EXPECT_EQ(server.requests().size(), 5u);
    const auto post =
        fetch({.method = "POST", .url = server.url(), .body = "text", .max_redirects = 3});
    ASSERT_TRUE(post.has_value());
    EXPECT_EQ(post->head.status, 302);  // what was posted is not sent elsewhere
}

TEST(HttpClientTest, LimitsHeadAndBody) {
    RawServer server([](RawPeer& peer, const std::string& request) {
        if (request.starts_with("GET /head ")) {
            peer.send("HTTP/1.1 200 OK\r\n");
            while (peer.send("X-Filler: " + std::string(500, 'x') + "\r\n")) continue;
        }
        peer.send("HTTP/1.1 200 OK\r\n\r\n");
        while (peer.send(std::string(500, 'x'))) continue;
    });
    EXPECT_EQ(failure({.url = server.url("/head"), .max_head_bytes = 10'000}).code,
              ErrorCode::kTooLarge);
    const Error body = failure({.url = server.url("/body"), .max_body_bytes = 10'000});
    EXPECT_EQ(body.code, ErrorCode::kTooLarge);
    EXPECT_THAT(body.detail, HasSubstr("10000 bytes"));
}

TEST(HttpClientTest, SaysHowAConnectionFailed) {
    std::uint16_t closed_port = 0;
    {
        const RawServer gone(says(""));
        closed_port = gone.port();
    }
    const Error refused =
        failure({.url = fmt::format("http://127.0.0.1:{}/?k=s3cret", closed_port)});
    EXPECT_EQ(refused.code, ErrorCode::kUnavailable);
    EXPECT_THAT(refused.detail, HasSubstr(fmt::format("127.0.0.1:{}", closed_port)));
    EXPECT_THAT(refused.detail, Not(HasSubstr("s3cret")));

    RawServer silent(says(""));
    EXPECT_EQ(failure({.url = silent.url()}).code, ErrorCode::kIo);
    RawServer garbage(says("SSH-2.0-OpenSSH_9.2\r\nmore\r\n\r\n"));
    EXPECT_EQ(failure({.url = garbage.url()}).code, ErrorCode::kCorruptData);
    RawServer cut(says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
    const Error middle = failure({.url = cut.url()});
    EXPECT_EQ(middle.code, ErrorCode::kIo);
    EXPECT_THAT(middle.detail, HasSubstr("in the middle of its answer"));
    RawServer plain(says(reply("200 OK", "", "no TLS here")));
    EXPECT_EQ(failure({.url = fmt::format("https://127.0.0.1:{}/", plain.port())}).code,
              ErrorCode::kPermissionDenied);
}

TEST(HttpClientTest, RefusesBadRequests) {
    EXPECT_EQ(failure({.url = "file:///etc/passwd"}).code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(failure({.method = "DELETE", .url = "http://localhost/"}).code,
              ErrorCode::kInvalidArgument);
    const Error key = failure({.url = "http://localhost/", .key = "s3cret\r\nX: y"});
    EXPECT_EQ(key.code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(key.detail, Not(HasSubstr("s3cret")));
}

TEST(HttpClientTest, SilenceEndsARequest) {
    RawServer server([](RawPeer& peer, const std::string& request) {
        if (request.starts_with("GET /part ")) peer.send("HTTP/1.1 200 OK\r\n\r\npart");
        if (request.starts_with("GET /drip "))
            for (peer.send("HTTP/1.1 200 OK\r\n\r\n"); peer.send(".");)
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
        peer.wait_until_closed();
    });
    using std::chrono::milliseconds;
    const Error first =
        failure({.url = server.url("/never"), .first_byte_timeout = milliseconds(50)});
    EXPECT_EQ(first.code, ErrorCode::kTimeout);
    EXPECT_THAT(first.detail, HasSubstr("did not begin to answer within 0.05 s"));
    const Error later = failure({.url = server.url("/part"), .silence_timeout = milliseconds(50)});
    EXPECT_EQ(later.code, ErrorCode::kTimeout);
    EXPECT_THAT(later.detail, HasSubstr("sent nothing for 0.05 s"));
    const Error total = failure({.url = server.url("/drip"), .total_timeout = milliseconds(100)});
    EXPECT_EQ(total.code, ErrorCode::kTimeout);
    EXPECT_THAT(total.detail, HasSubstr("took longer than 0.1 s"));
}

TEST(HttpClientTest, AStopTokenEndsItWhereverItIs) {
    RawServer server([](RawPeer& peer, const std::string& request) {
        if (request.starts_with("GET /part ")) peer.send("HTTP/1.1 200 OK\r\n\r\npart");
        peer.wait_until_closed();
    });
    std::size_t asked = 0;
    for (const std::string_view path : {"/never", "/part"}) {
        std::stop_source stop;
        std::jthread canceller([&] {
            EXPECT_TRUE(server.wait_for_requests(asked + 1));
            stop.request_stop();
        });
        EXPECT_EQ(failure({.url = server.url(path), .stop = stop.get_token()}).code,
                  ErrorCode::kCancelled);
        ++asked;
    }
    EXPECT_TRUE(server.wait_until_idle());
    std::stop_source before;
    before.request_stop();
    EXPECT_EQ(failure({.url = server.url(), .stop = before.get_token()}).code,
              ErrorCode::kCancelled);
    EXPECT_EQ(server.requests().size(), asked);
}

}  // namespace
}  // namespace notso::services
