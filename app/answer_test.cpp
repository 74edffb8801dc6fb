// Following one answer of the stub: text, thoughts, interruption.
#include "app/answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "services/backend/stub.hpp"

namespace notso::app {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

services::ChatRequest ask(std::string text) {
    services::ChatRequest request;
    request.messages.push_back({.role = "user", .content = std::move(text)});
    return request;
}

TEST(Answer, TextArrivesInPiecesThatJoinToTheWhole) {
    Interrupts interrupts;
    const auto backend = services::make_stub_backend();
    std::string shown;
    int pieces = 0;
    AnswerView view;
    view.on_text = [&](const std::string& text) {
        shown += text;
        ++pieces;
    };
    const auto answer = follow_answer(*backend, ask("[echo] one two three"), interrupts, view);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->text, shown);
    EXPECT_THAT(answer->text, HasSubstr("one two three"));
    EXPECT_GT(pieces, 1);
    EXPECT_EQ(finish_name(answer->end.finish), "stop");
    EXPECT_GT(answer->first_token_ms, 0);
}

TEST(Answer, ThoughtsAreKeptApart) {
    Interrupts interrupts;
    const auto backend = services::make_stub_backend();
    services::ChatRequest request = ask("[think] why?");
    request.thinking = true;
    const auto answer = follow_answer(*backend, request, interrupts, {});
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_NE(answer->thinking, "");
    EXPECT_NE(answer->text, "");
    EXPECT_EQ(answer->text.find(answer->thinking), std::string::npos);
}

TEST(Answer, SignalEndsTheAnswerAndKeepsThePartialText) {
    Interrupts interrupts;
    const auto backend = services::make_stub_backend();
    AnswerView view;
    view.on_text = [once = false](const std::string&) mutable {
        if (!std::exchange(once, true)) ::kill(::getpid(), SIGINT);
    };
    const auto answer = follow_answer(*backend, ask("[long 5000]"), interrupts, view);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->end.finish, services::ChatFinish::kCancelled);
    EXPECT_NE(answer->text, "");
    EXPECT_FALSE(interrupts.take()) << "the answer used the signal up";
}

TEST(Interrupts, SignalsWithoutAHandlerStayPending) {
    Interrupts interrupts;
    EXPECT_FALSE(interrupts.take());
    ::kill(::getpid(), SIGINT);
    for (int i = 0; i < 1000; ++i) {
        if (interrupts.take()) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    FAIL() << "the signal never became pending";
}

TEST(TerminalSafe, KeepsTextAndDropsWhatSteersATerminal) {
    EXPECT_EQ(terminal_safe("a\tb\nzürich 日本 👩‍👩‍👧"),
              "a\tb\nzürich 日本 👩‍👩‍👧");
    EXPECT_EQ(terminal_safe("\x1b[31mred\x1b]0;title\x07"), "[31mred]0;title");
    EXPECT_EQ(terminal_safe("a\r\x7f\xc2\x9b"
                            "b\xff"),
              "ab");
}

}  // namespace
}  // namespace notso::app
