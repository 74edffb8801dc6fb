// The local backend with thoughts that have to end and calls that have to come: the guide, the
// engine and the parser together, over a model without weights.
#include <gtest/gtest.h>

#include <thread>

#include "ml/runtime/fake_model.hpp"
#include "services/backend/event_recorder.hpp"
#include "services/backend/local_backend.hpp"

namespace notso::services {
namespace {

using ml::TokenId;
using ml::testing::FakeModel;
using ml::testing::FakeTokenizer;
using std::chrono::milliseconds;

/// Thinks for ever, without repeating itself, until its thought is closed; then it says "ok".
std::shared_ptr<FakeModel> thinker() {
    return std::make_shared<FakeModel>(
        [](std::span<const TokenId> tokens, std::size_t prompt_size) {
            const auto answer = tokens.subspan(prompt_size);
            if (answer.empty()) return ml::testing::kThink;
            const auto end = std::ranges::find(answer, ml::testing::kThinkEnd);
            if (end == answer.end())
                return TokenId{
                    static_cast<std::int32_t>('a' + answer.size() * answer.size() % 1009 % 23)};
            const auto said = answer.end() - end;
            return said == 1 ? TokenId{'o'} : said == 2 ? TokenId{'k'} : ml::testing::kImEnd;
        });
}

std::shared_ptr<FakeModel> saying(std::string_view text) {
    return FakeModel::scripted(
        FakeTokenizer().encode(text, {.special = ml::SpecialTokens::kParse}));
}

std::unique_ptr<LocalBackend> make(std::shared_ptr<const ml::Model> model) {
    auto backend = std::make_unique<LocalBackend>(
        [model = std::move(model)](const auto&) -> Result<std::shared_ptr<const ml::Model>> {
            return model;
        },
        LocalBackendOptions{.id = "tiny"});
    for (int i = 0; i < 10'000 && backend->health().state == HealthState::kLoading; ++i)
        std::this_thread::sleep_for(milliseconds(1));
    return backend;
}

ChatRequest ask() {
    ChatRequest request;
    request.messages.push_back({.role = "user", .content = "hi"});
    request.sampling.temperature = 0.0;
    request.thinking = true;
    return request;
}

ChatRequest ask_with_tool() {
    ChatRequest request = ask();
    request.thinking = false;
    request.tools = {{{"type", "function"}, {"function", {{"name", "add"}}}}};
    return request;
}

struct Answer {
    std::shared_ptr<EventRecorder> events = EventRecorder::create();
    std::unique_ptr<ChatStream> stream;
};

Answer start(ChatBackend& backend, const ChatRequest& request) {
    Answer answer;
    auto started = backend.start(request, answer.events->handler());
    EXPECT_TRUE(started) << started.error().detail;
    if (started) answer.stream = *std::move(started);
    return answer;
}

ThinkingEndReason reason_of(const Answer& answer) {
    const auto ends = answer.events->all<chat_event::ThinkingEnded>();
    EXPECT_EQ(ends.size(), 1U);
    return ends.empty() ? ThinkingEndReason::kModel : ends.front().reason;
}

TEST(LocalGuide, ABudgetEndsThoughtsAndTheAnswerFollows) {
    const auto backend = make(thinker());
    for (const std::int64_t budget : {1, 10, 100, 300}) {
        ChatRequest request = ask();
        request.thinking_budget = budget;
        const Answer answer = start(*backend, request);
        const chat_event::End end = answer.events->end();
        EXPECT_EQ(end.finish, ChatFinish::kStop);
        EXPECT_EQ(answer.events->text(), "ok");
        EXPECT_EQ(reason_of(answer), ThinkingEndReason::kBudget);
        EXPECT_LE(end.usage.reasoning_tokens, budget + 2) << "the tags count too";
        EXPECT_EQ(answer.events->thinking().ends_with("I will answer now.\n"), budget == 300)
            << "only where it does not take the place of the thought";
    }
}

TEST(LocalGuide, NoBudgetMeansNoThought) {
    const auto backend = make(thinker());
    ChatRequest request = ask();
    request.thinking_budget = 0;
    const Answer answer = start(*backend, request);
    EXPECT_EQ(answer.events->end().finish, ChatFinish::kStop);
    EXPECT_EQ(answer.events->text(), "ok");
    EXPECT_TRUE(answer.events->all<chat_event::ThinkingStarted>().empty());
}

TEST(LocalGuide, AnswerNowEndsThoughtsLive) {
    const auto model = thinker();
    model->before_forward = [](std::size_t) { std::this_thread::sleep_for(milliseconds(2)); };
    const auto backend = make(model);
    const Answer answer = start(*backend, ask());
    ASSERT_TRUE(answer.events->wait_for<chat_event::ThinkingText>());
    EXPECT_TRUE(answer.stream->answer_now());
    EXPECT_EQ(answer.events->end().finish, ChatFinish::kStop);
    EXPECT_EQ(answer.events->text(), "ok");
    EXPECT_EQ(reason_of(answer), ThinkingEndReason::kAsked);
}

TEST(LocalGuide, AThoughtInCirclesIsEnded) {
    const auto backend = make(
        std::make_shared<FakeModel>([](std::span<const TokenId> tokens, std::size_t prompt_size) {
            const auto answer = tokens.subspan(prompt_size);
            if (answer.empty()) return ml::testing::kThink;
            if (std::ranges::find(answer, ml::testing::kThinkEnd) != answer.end())
                return ml::testing::kImEnd;
            return TokenId{static_cast<std::int32_t>("so it is. "[answer.size() % 10])};
        }));
    const Answer answer = start(*backend, ask());
    EXPECT_EQ(answer.events->end().finish, ChatFinish::kStop);
    EXPECT_EQ(reason_of(answer), ThinkingEndReason::kLoop);
    EXPECT_LT(answer.events->thinking().size(), 200U);
}

constexpr std::string_view kCall =
    R"(<tool_call>{"name": "add", "arguments": {"a": 1}}</tool_call>)";

TEST(LocalGuide, CallsEndTheAnswerAsSuch) {
    const auto backend = make(saying("So: " + std::string(kCall)));
    const Answer answer = start(*backend, ask_with_tool());
    EXPECT_EQ(answer.events->end().finish, ChatFinish::kToolCalls);
    EXPECT_EQ(answer.events->text(), "So: ");
    const auto begun = answer.events->all<chat_event::ToolCallBegun>();
    ASSERT_EQ(begun.size(), 1U);
    EXPECT_EQ(begun[0].name, "add");
    EXPECT_TRUE(begun[0].id.starts_with("call_"));
    EXPECT_EQ(answer.events->all<chat_event::ToolCallArguments>().at(0).text, R"({"a": 1})");
    const Answer untold = start(*backend, ask());
    EXPECT_EQ(untold.events->end().finish, ChatFinish::kStop);
    EXPECT_EQ(untold.events->text(), "So: " + std::string(kCall)) << "without tools it is text";
}

TEST(LocalGuide, OneCallIsEnoughWhenCallsMayNotBeParallel) {
    const auto backend = make(saying(std::string(kCall) + std::string(kCall)));
    ChatRequest request = ask_with_tool();
    EXPECT_EQ(start(*backend, request).events->end().usage.completion_tokens, 2 * 40);
    request.parallel_tool_calls = false;
    const Answer answer = start(*backend, request);
    EXPECT_EQ(answer.events->end().finish, ChatFinish::kToolCalls);
    EXPECT_EQ(answer.events->all<chat_event::ToolCallDone>().size(), 1U);
}

TEST(LocalGuide, AToolThatIsNotThereCanNotBeChosen) {
    const auto backend = make(saying("ok"));
    ChatRequest request = ask_with_tool();
    request.tool_choice = {ToolChoice::Kind::kFunction, "subtract"};
    const auto refused = backend->start(request, [](ChatEvent) {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(refused.error().detail.find("subtract"), std::string::npos);
}

}  // namespace
}  // namespace notso::services
