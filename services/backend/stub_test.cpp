// The scripted stub: its commands, its queue, and the promises every backend makes about events.
#include "services/backend/stub.hpp"

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "services/backend/event_recorder.hpp"

namespace notso::services {
namespace {

using std::chrono::milliseconds;

ChatRequest ask(std::string text) {
    ChatRequest request;
    request.messages.push_back({.role = "user", .content = std::move(text)});
    return request;
}

std::unique_ptr<ChatBackend> quick_stub() {
    return make_stub_backend({.word_delay = milliseconds(0)});
}

std::shared_ptr<EventRecorder> answer_to(const ChatRequest& request) {
    const auto backend = quick_stub();
    auto recorder = EventRecorder::create();
    const auto stream = backend->start(request, recorder->handler());
    EXPECT_TRUE(stream) << stream.error().detail;
    recorder->end();
    return recorder;
}

TEST(StubBackend, SaysThatItIsAStub) {
    EXPECT_TRUE(quick_stub()->info().scripted);
    const auto recorder = answer_to(ask("Hi there"));
    EXPECT_EQ(recorder->text(), "I am a scripted stub, not a language model. You wrote: Hi there");
    EXPECT_EQ(recorder->end().finish, ChatFinish::kStop);
    EXPECT_GT(recorder->all<chat_event::Text>().size(), 5U) << "it has to stream";
}

TEST(StubBackend, EndComesOnceAndLast) {
    const auto recorder = answer_to(ask("[think] [markdown]"));
    const auto events = recorder->events();
    EXPECT_EQ(recorder->all<chat_event::End>().size(), 1U);
    EXPECT_TRUE(std::holds_alternative<chat_event::End>(events.back()));
    EXPECT_TRUE(std::holds_alternative<chat_event::Queued>(events.front()));
}

TEST(StubBackend, ThinksBeforeItAnswers) {
    const auto recorder = answer_to(ask("[think] hello"));
    EXPECT_TRUE(recorder->thinking().starts_with("This is scripted thinking."));
    EXPECT_EQ(recorder->all<chat_event::ThinkingStarted>().size(), 1U);
    EXPECT_EQ(recorder->all<chat_event::ThinkingEnded>().size(), 1U);
    const ChatUsage usage = recorder->end().usage;
    EXPECT_GT(usage.reasoning_tokens, 5);
    EXPECT_GT(usage.completion_tokens, usage.reasoning_tokens);
    EXPECT_EQ(std::ssize(recorder->all<chat_event::Progress>()), usage.completion_tokens);
}

TEST(StubBackend, WritesAsManyWordsAsAsked) {
    const auto recorder = answer_to(ask("[long 250]"));
    EXPECT_EQ(recorder->end().usage.completion_tokens, 250);
    EXPECT_TRUE(recorder->text().ends_with(" word250"));
}

TEST(StubBackend, EchoesAndShowsHostileText) {
    EXPECT_EQ(answer_to(ask("[echo] a\n\n b "))->text(), "[echo] a\n\n b ");
    EXPECT_NE(answer_to(ask("[hostile]"))->text().find("<script>"), std::string::npos);
}

TEST(StubBackend, FailsHalfWayWhenTold) {
    const auto recorder = answer_to(ask("[long 10] [error]"));
    EXPECT_EQ(recorder->end().finish, ChatFinish::kError);
    EXPECT_TRUE(recorder->end().error);
    EXPECT_EQ(recorder->all<chat_event::Text>().size(), 5U);
}

TEST(StubBackend, ObeysMaxTokensAndStop) {
    ChatRequest request = ask("[long 10]");
    request.max_tokens = 3;
    EXPECT_EQ(answer_to(request)->end().finish, ChatFinish::kLength);
    EXPECT_EQ(answer_to(request)->text(), "word1 word2 word3");
    request.max_tokens = 10;
    EXPECT_EQ(answer_to(request)->end().finish, ChatFinish::kStop);
    request.stop = {"2 w"};
    EXPECT_EQ(answer_to(request)->text(), "word1 word");
    request.stop = {"word10 and more"};
    EXPECT_TRUE(answer_to(request)->text().ends_with(" word10"));
    request.stop.assign(17, "x");
    EXPECT_FALSE(quick_stub()->start(request, [](ChatEvent) {}));
}

TEST(StubBackend, RefusesAPromptThatIsTooLong) {
    const auto backend = make_stub_backend({.word_delay = milliseconds(0), .context_length = 10});
    const auto refused = backend->start(ask("1 2 3 4 5 6 7 8 9 10"), [](ChatEvent) {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kContextLength);
}

TEST(StubBackend, RefusesAFormThatItCannotFollow) {
    ChatRequest request = ask("x");
    request.form = json_object_form();
    const auto stream = quick_stub()->start(request, [](ChatEvent) {});
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().code, ErrorCode::kUnsupported);
}

TEST(StubBackend, CancelEndsARunningAnswerSoon) {
    const auto backend = quick_stub();
    const auto recorder = EventRecorder::create();
    const auto stream = backend->start(ask("[slow] [long 1000]"), recorder->handler()).value();
    ASSERT_TRUE(recorder->wait_for<chat_event::Text>());
    stream->cancel();
    EXPECT_EQ(recorder->end().finish, ChatFinish::kCancelled);
    EXPECT_LT(recorder->all<chat_event::Text>().size(), 900U);
}

TEST(StubBackend, AStreamMayOutliveItsBackend) {
    const auto recorder = EventRecorder::create();
    std::unique_ptr<ChatStream> stream;
    {
        const auto backend = quick_stub();
        stream = backend->start(ask("[slow] [long 1000]"), recorder->handler()).value();
        ASSERT_TRUE(recorder->wait_for<chat_event::Text>());
    }
    EXPECT_EQ(recorder->all<chat_event::End>().size(), 1U)
        << "the backend's end must end its answers";
    EXPECT_EQ(recorder->end().finish, ChatFinish::kCancelled);
    stream->cancel();
}

TEST(StubBackend, QueuesAndRefusesWhenTheQueueIsFull) {
    const auto backend =
        make_stub_backend({.word_delay = milliseconds(0), .max_running = 1, .max_waiting = 2});
    const auto running = EventRecorder::create();
    auto first = backend->start(ask("[slow] [long 1000]"), running->handler()).value();
    ASSERT_TRUE(running->wait_for<chat_event::Text>());

    const auto waiting = EventRecorder::create();
    const auto second = backend->start(ask("second"), EventRecorder::create()->handler()).value();
    const auto third = backend->start(ask("third"), waiting->handler()).value();
    EXPECT_EQ(backend->health().waiting, 2);
    const auto refused = backend->start(ask("fourth"), [](ChatEvent) {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);

    EXPECT_TRUE(waiting->wait_for<chat_event::Queued>());
    EXPECT_EQ(waiting->all<chat_event::Queued>().front().position, 1);
    first.reset();
    EXPECT_EQ(waiting->end().finish, ChatFinish::kStop);
    EXPECT_EQ(waiting->all<chat_event::Queued>().back().position, 0);
}

TEST(StubBackend, CancelWhileQueuedEndsAtOnce) {
    const auto backend = make_stub_backend({.word_delay = milliseconds(0), .max_running = 1});
    const auto running = EventRecorder::create();
    const auto first = backend->start(ask("[slow] [long 1000]"), running->handler()).value();
    ASSERT_TRUE(running->wait_for<chat_event::Text>());
    const auto queued = EventRecorder::create();
    backend->start(ask("second"), queued->handler()).value().reset();
    EXPECT_EQ(queued->end().finish, ChatFinish::kCancelled);
    EXPECT_TRUE(queued->text().empty());
    EXPECT_TRUE(running->all<chat_event::End>().empty());
}

}  // namespace
}  // namespace notso::services
