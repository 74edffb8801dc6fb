// The SSE parser: every way to end a line, every way to cut the bytes, and events without end.
#include "services/backend/sse_parser.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace notso::services {
namespace {

using Events = std::vector<std::string>;

/// Feeds `bytes` in pieces of `size`.
Events parse(std::string_view bytes, std::size_t size) {
    SseParser parser;
    Events events;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
        const auto pushed = parser.push(bytes.substr(at, size), [&](std::string_view data) {
            events.emplace_back(data);
            return true;
        });
        EXPECT_TRUE(pushed.has_value());
    }
    return events;
}

TEST(SseParserTest, CutsDoNotMatter) {
    constexpr std::string_view kStream =
        "\xEF\xBB\xBF"
        ": a comment\n\n"
        "data: one\n\n"
        "event: message\r\nid: 7\r\ndata:two\r\ndata:  lines\r\n\r\n"
        "data: three\r\r"
        "data\n\n"
        "retry: 10\n\n"
        "database: no\n\n"
        "data: [DONE]\n\n"
        "data: unfinished\n";
    const Events wanted = {"one", "two\n lines", "three", "", "[DONE]"};
    for (std::size_t size = 1; size <= kStream.size(); ++size)
        EXPECT_EQ(parse(kStream, size), wanted) << "in pieces of " << size;
}

TEST(SseParserTest, AHandlerMayEndIt) {
    SseParser parser;
    Events events;
    const auto pushed = parser.push("data: a\n\ndata: b\n\n", [&](std::string_view data) {
        events.emplace_back(data);
        return false;
    });
    EXPECT_TRUE(pushed.has_value());
    EXPECT_EQ(events, Events{"a"});
}

TEST(SseParserTest, EventsAreBounded) {
    const auto ignore = [](std::string_view) { return true; };
    SseParser one_line;
    Result<> pushed;
    for (int i = 0; pushed && i < 2000; ++i) pushed = one_line.push(std::string(1000, 'x'), ignore);
    ASSERT_FALSE(pushed.has_value());
    EXPECT_EQ(pushed.error().code, ErrorCode::kTooLarge);
    SseParser many_lines;
    pushed = {};
    for (int i = 0; pushed && i < 2000; ++i)
        pushed = many_lines.push("data: " + std::string(1000, 'x') + "\n", ignore);
    EXPECT_FALSE(pushed.has_value());
    SseParser comments;
    pushed = {};
    for (int i = 0; pushed && i < 2000; ++i)
        pushed = comments.push(": " + std::string(1000, 'x') + "\n", ignore);
    EXPECT_TRUE(pushed.has_value());
}

}  // namespace
}  // namespace notso::services
