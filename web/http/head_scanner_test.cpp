// The head scanner: what is refused and why, limits to the byte, every slicing the same, and Beast
// as second opinion.
#include "web/http/head_scanner.hpp"

#include <gtest/gtest.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <random>

namespace notso::web {
namespace {

const HttpLimits kLimits;

struct Outcome {
    int status = 0;  // 200 accepted, 0 unfinished, else the failure
    std::size_t used = 0;
    RequestHead head = {};
};

Outcome scan(std::string_view bytes,
             std::size_t slice = std::string_view::npos,
             const HttpLimits& limits = kLimits) {
    HeadScanner scanner(limits);
    Outcome outcome;
    while (outcome.used < bytes.size() && !scanner.done() && !scanner.failure()) {
        const std::string_view piece = bytes.substr(outcome.used, slice);
        const std::size_t used = scanner.feed(piece);
        outcome.used += used;
        if (used < piece.size()) break;
    }
    if (scanner.failure()) {
        outcome.status = scanner.failure()->status;
    } else if (scanner.done()) {
        outcome.status = 200;
        outcome.head = scanner.take();
    }
    return outcome;
}

int status_of(std::string_view bytes) { return scan(bytes).status; }

std::string with_headers(std::string_view headers) {
    return fmt::format("POST /x HTTP/1.1\r\nHost: localhost\r\n{}\r\n", headers);
}

TEST(HeadScanner, ReadsAHead) {
    const auto outcome = scan(
        "POST /a%20b?c=d HTTP/1.1\r\nHost: localhost:3000\r\nX-Two:  b c \t\r\nContent-Length: "
        "12\r\n"
        "Connection: Keep-Alive, close\r\nExpect: 100-continue\r\n\r\nBODY");
    ASSERT_EQ(outcome.status, 200);
    EXPECT_EQ(outcome.head.method, "POST");
    EXPECT_EQ(outcome.head.target, "/a%20b?c=d");
    EXPECT_EQ(outcome.head.headers[1].name, "x-two");
    EXPECT_EQ(outcome.head.headers[1].value, "b c");
    EXPECT_EQ(outcome.head.content_length, 12U);
    EXPECT_FALSE(outcome.head.keep_alive);
    EXPECT_TRUE(outcome.head.expects_continue);
    EXPECT_EQ(scan(with_headers("") + "rest").used, with_headers("").size());
}

TEST(HeadScanner, RefusesAmbiguousLines) {
    EXPECT_EQ(status_of("GET / HTTP/1.1\nHost: x\n\n"), 400) << "bare LF";
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\n\r\n"), 400) << "bare LF after a header";
    EXPECT_EQ(status_of("GET / HTTP/1.1\rHost: x\r\n\r\n"), 400) << "bare CR";
    EXPECT_EQ(status_of(with_headers("A: b\rc\r\n")), 400) << "bare CR in a value";
    EXPECT_EQ(status_of(with_headers("A: b\r\r\n")), 400) << "two CR";
    EXPECT_EQ(status_of(with_headers("A: b\r\n c\r\n")), 400) << "obs-fold";
    EXPECT_EQ(status_of(with_headers("A: b\r\n\tc\r\n")), 400) << "obs-fold with a tab";
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\n Host: x\r\n\r\n"), 400)
        << "space before the first header";
    EXPECT_EQ(status_of(with_headers(std::string("A: b\0c\r\n", 8))), 400) << "NUL";
    EXPECT_EQ(status_of(with_headers("A : b\r\n")), 400) << "space before the colon";
    EXPECT_EQ(status_of(with_headers(": b\r\n")), 400) << "no name";
    EXPECT_EQ(status_of(with_headers("A\r\n")), 400) << "no colon";
    EXPECT_EQ(status_of(with_headers("A(b): c\r\n")), 400) << "name that is no token";
    EXPECT_EQ(status_of(with_headers("A: \x01\r\n")), 400) << "control character";
    EXPECT_EQ(status_of(with_headers("A: \x7F\r\n")), 400) << "DEL";
    EXPECT_EQ(status_of("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), 400) << "two empty lines";
    EXPECT_EQ(status_of("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), 200)
        << "one empty line is tolerated";
}

TEST(HeadScanner, RefusesBadRequestLines) {
    for (const char* line : {"GET /",
                             "GET  / HTTP/1.1",
                             "GET / HTTP/1.1 ",
                             " GET / HTTP/1.1",
                             "GET\t/ HTTP/1.1",
                             "GET /a b HTTP/1.1",
                             "GET /\x80 HTTP/1.1",
                             "GET /#x HTTP/1.1",
                             "G@T / HTTP/1.1",
                             "GET / HTTP/11",
                             "GET / http/1.1",
                             "GET / HTTP/1.10",
                             "GET  HTTP/1.1",
                             "/ HTTP/1.1"}) {
        EXPECT_EQ(status_of(fmt::format("{}\r\nHost: x\r\n\r\n", line)), 400) << line;
    }
    EXPECT_EQ(status_of("GET / HTTP/2.0\r\nHost: x\r\n\r\n"), 505);
    EXPECT_EQ(status_of("GET / HTTP/0.9\r\nHost: x\r\n\r\n"), 505);
    EXPECT_EQ(status_of("BREW / HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
}

TEST(HeadScanner, RefusesAmbiguousFraming) {
    EXPECT_EQ(status_of(with_headers("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")), 400);
    EXPECT_EQ(status_of(with_headers("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")), 400);
    EXPECT_EQ(status_of(with_headers("Content-Length: 5\r\nContent-Length: 5\r\n")), 400);
    EXPECT_EQ(
        status_of(with_headers("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
        400);
    for (const char* length : {"", "+5", "-5", "5, 5", "0x5", "5_0", "5 5", "five", "5.0"}) {
        EXPECT_EQ(status_of(with_headers(fmt::format("Content-Length: {}\r\n", length))), 400)
            << length;
    }
    for (const char* coding : {"",
                               "xchunked",
                               "chunked, chunked",
                               "gzip, chunked",
                               "identity",
                               "chunked;q=1",
                               "\"chunked\""}) {
        EXPECT_EQ(status_of(with_headers(fmt::format("Transfer-Encoding: {}\r\n", coding))), 400)
            << coding;
    }
    EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    EXPECT_EQ(scan(with_headers("Content-Length: 99999999999999999999999\r\n")).head.content_length,
              UINT64_MAX);
    EXPECT_TRUE(scan(with_headers("transfer-encoding: Chunked\r\n")).head.chunked);
}

TEST(HeadScanner, WantsOneHost) {
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 200);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
    EXPECT_EQ(status_of(with_headers("Expect: 200-maybe\r\n")), 417);
}

TEST(HeadScanner, LimitsToTheByte) {
    const auto line = [](std::size_t size) {
        const std::string fixed = "GET / HTTP/1.1";
        return "GET /" + std::string(size - fixed.size(), 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n";
    };
    EXPECT_EQ(status_of(line(kLimits.request_line_bytes)), 200);
    EXPECT_EQ(status_of(line(kLimits.request_line_bytes + 1)), 414);
    EXPECT_EQ(status_of(line(kLimits.request_line_bytes * 1000)), 414);

    const auto block = [](std::size_t size) {
        const std::string fixed = "Host: x\r\nA: \r\n";
        return "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(size - fixed.size(), 'a') +
               "\r\n\r\n";
    };
    EXPECT_EQ(status_of(block(kLimits.header_bytes)), 200);
    EXPECT_EQ(status_of(block(kLimits.header_bytes + 1)), 431);
    EXPECT_EQ(status_of(block(kLimits.header_bytes * 1000)), 431);

    const auto count = [](std::size_t n) {
        std::string text = "GET / HTTP/1.1\r\nHost: x\r\n";
        for (std::size_t i = 1; i < n; ++i) text += "A: b\r\n";
        return text + "\r\n";
    };
    EXPECT_EQ(status_of(count(kLimits.header_count)), 200);
    EXPECT_EQ(status_of(count(kLimits.header_count + 1)), 431);
    EXPECT_EQ(status_of(count(kLimits.header_count * 1000)), 431);
}

TEST(HeadScanner, KeepsNoMoreThanTheLimits) {
    HeadScanner scanner(kLimits);
    const std::string endless(1 << 20, 'a');
    std::size_t used = 0;
    for (int i = 0; i < 64 && !scanner.failure(); ++i) used += scanner.feed(endless);
    EXPECT_EQ(used, kLimits.request_line_bytes + 1);
}

/// Heads with one or two random changes: flipped, dropped, doubled and foreign bytes at places that
/// matter.
std::string mutate(std::string text, std::mt19937& random) {
    const std::string_view bytes = std::string_view("\r\n\0 \t:,;\x7F\x80xX0-+", 16);
    const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    for (std::size_t i = 0; i < 1 + pick(2); ++i) {
        const std::size_t at = pick(text.size());
        switch (pick(4)) {
            case 0:
                text[at] = bytes[pick(bytes.size())];
                break;
            case 1:
                text.insert(at, 1, bytes[pick(bytes.size())]);
                break;
            case 2:
                text.erase(at, 1);
                break;
            default:
                text.insert(at, text.substr(at, pick(12)));
                break;
        }
    }
    return text;
}

const std::string kSeed =
    "POST /chat/1?x=%20 HTTP/1.1\r\nHost: localhost:3000\r\nAccept: */*\r\nTransfer-Encoding: "
    "chunked\r\n"
    "Cookie: a=b; c=d\r\nConnection: keep-alive\r\n\r\n";

TEST(HeadScanner, AnySlicingGivesTheSame) {
    std::mt19937 random(1);
    for (int i = 0; i < 2000; ++i) {
        const std::string text = i == 0 ? kSeed : mutate(kSeed, random);
        const Outcome whole = scan(text);
        for (const std::size_t slice :
             {std::size_t{1}, std::size_t{2}, std::size_t{3}, 1 + random() % 64}) {
            const Outcome sliced = scan(text, slice);
            ASSERT_EQ(sliced.status, whole.status) << text;
            ASSERT_EQ(sliced.used, whole.used) << text;
            ASSERT_EQ(sliced.head.headers.size(), whole.head.headers.size()) << text;
        }
    }
    for (std::size_t cut = 0; cut <= kSeed.size(); ++cut) {
        HeadScanner scanner(kLimits);
        scanner.feed(std::string_view(kSeed).substr(0, cut));
        EXPECT_EQ(scanner.done(), cut == kSeed.size());
        scanner.feed(std::string_view(kSeed).substr(cut));
        EXPECT_TRUE(scanner.done()) << cut;
    }
}

TEST(HeadScanner, AcceptsNothingThatBeastReadsDifferently) {
    namespace http = boost::beast::http;
    std::mt19937 random(2);
    int accepted = 0;
    for (int i = 0; i < 5000; ++i) {
        const std::string text = mutate(kSeed, random);
        const Outcome ours = scan(text);
        if (ours.status != 200) continue;
        ++accepted;
        http::request_parser<http::empty_body> parser;
        boost::beast::error_code failure;
        parser.header_limit(64 * 1024);
        parser.put(boost::asio::buffer(text.data(), ours.used), failure);
        ASSERT_FALSE(failure) << failure.message() << "\n" << text;
        ASSERT_TRUE(parser.is_header_done()) << text;
        const auto& theirs = parser.get();
        ASSERT_EQ(std::string(theirs.method_string()), ours.head.method) << text;
        ASSERT_EQ(std::string(theirs.target()), ours.head.target) << text;
        ASSERT_EQ(parser.chunked(), ours.head.chunked) << text;
        auto field = theirs.begin();
        for (const Header& header : ours.head.headers) {
            ASSERT_NE(field, theirs.end()) << text;
            ASSERT_TRUE(boost::beast::iequals(field->name_string(), header.name)) << text;
            ASSERT_EQ(std::string(field->value()), header.value) << text;
            ++field;
        }
    }
    EXPECT_GT(accepted, 300) << "the comparison must see accepted heads";
}

}  // namespace
}  // namespace notso::web
