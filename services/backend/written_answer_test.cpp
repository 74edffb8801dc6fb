// Answers that go on: cut behind every token, the two parts together are the answer that was never
// cut. Over models without weights that say a text whatever they have said of it.
#include "services/backend/written_answer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "ml/runtime/fake_model.hpp"
#include "services/backend/event_recorder.hpp"
#include "services/backend/local_backend.hpp"

namespace notso::services {
namespace {

using ml::TokenId;
using ml::testing::FakeModel;
using ml::testing::FakeTokenizer;

/// Says `answer` in every turn, from wherever it stands in it.
std::unique_ptr<LocalBackend> saying(std::string_view answer, bool with_think = true) {
    const FakeTokenizer tokenizer(with_think);
    const auto parsed = ml::EncodeOptions{.special = ml::SpecialTokens::kParse};
    auto model = std::make_shared<FakeModel>(
        [ids = tokenizer.encode(answer, parsed)](std::span<const TokenId> all, std::size_t) {
            const auto turn = std::ranges::find(all.rbegin(), all.rend(), ml::testing::kImStart);
            const std::size_t said = static_cast<std::size_t>(turn - all.rbegin()) -
                                     std::string_view("assistant\n").size();
            return said < ids.size() ? ids[said] : ml::testing::kImEnd;
        },
        with_think);
    model->mutable_config().context_length = model->mutable_plan().context_length = 4096;
    auto backend = std::make_unique<LocalBackend>(
        [model](const auto&) -> Result<std::shared_ptr<const ml::Model>> { return model; },
        LocalBackendOptions{.id = "tiny"});
    for (int i = 0; i < 10'000 && backend->health().state == HealthState::kLoading; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return backend;
}

struct Told {
    std::string thinking;
    std::string text;
    std::string calls;
    std::vector<std::int32_t> tokens;
    std::int64_t counted = 0;
};

/// What was told from the beginning to the end, and from Resumed to the end.
struct Answer {
    Told all = {};
    Told fresh = {};
    std::size_t n_resumed = 0;
    chat_event::End end = {};
};

void note(Told& told, const ChatEvent& event) {
    if (const auto* thought = std::get_if<chat_event::ThinkingText>(&event))
        told.thinking += thought->text;
    if (const auto* text = std::get_if<chat_event::Text>(&event)) told.text += text->text;
    if (const auto* call = std::get_if<chat_event::ToolCallBegun>(&event)) told.calls += call->name;
    if (const auto* call = std::get_if<chat_event::ToolCallArguments>(&event))
        told.calls += call->text;
    if (const auto* progress = std::get_if<chat_event::Progress>(&event)) {
        told.tokens.push_back(progress->token_id);
        told.counted = progress->completion_tokens;
    }
}

Answer ask(ChatBackend& backend, const ChatRequest& request) {
    const auto events = EventRecorder::create();
    const auto stream = backend.start(request, events->handler());
    EXPECT_TRUE(stream) << stream.error().detail;
    Answer answer{.end = events->end()};
    for (const ChatEvent& event : events->events()) {
        note(answer.all, event);
        if (answer.n_resumed > 0) note(answer.fresh, event);
        if (std::holds_alternative<chat_event::Resumed>(event)) {
            ++answer.n_resumed;
            answer.fresh = {};
        }
    }
    return answer;
}

ChatRequest question() {
    ChatRequest request;
    request.messages.push_back({.role = "user", .content = "Why?"});
    request.sampling.temperature = 0.0;
    return request;
}

/// Cuts the answer behind every token and lets it go on.
void expect_no_seam(ChatBackend& backend, const ChatRequest& request) {
    const Answer whole = ask(backend, request);
    EXPECT_EQ(whole.n_resumed, 0U);
    // Behind a whole stop string one more token is read, and dropped.
    const std::size_t last_cut = whole.all.tokens.size() - (request.stop.empty() ? 0 : 1);
    for (std::size_t cut = 0; cut <= last_cut; ++cut) {
        const auto n = static_cast<std::ptrdiff_t>(cut);
        ChatRequest rest = request;
        rest.written.emplace().tokens.assign(whole.all.tokens.begin(),
                                             whole.all.tokens.begin() + n);
        const Answer joint = ask(backend, rest);
        SCOPED_TRACE(cut);
        EXPECT_EQ(joint.n_resumed, 1U);
        EXPECT_EQ(joint.all.text, whole.all.text);
        EXPECT_EQ(joint.all.thinking, whole.all.thinking);
        EXPECT_EQ(joint.all.calls, whole.all.calls);
        EXPECT_EQ(joint.all.tokens, whole.all.tokens);
        EXPECT_EQ(joint.fresh.tokens.size(), whole.all.tokens.size() - cut);
        EXPECT_EQ(joint.end.finish, whole.end.finish);
        EXPECT_EQ(joint.end.usage.completion_tokens, whole.end.usage.completion_tokens);
        EXPECT_EQ(joint.end.usage.reasoning_tokens, whole.end.usage.reasoning_tokens);
    }
}

TEST(WrittenAnswer, GoesOnInsideCharacters) {
    const auto backend = saying("Zürich 🙂 \xFF and 日本.");
    expect_no_seam(*backend, question());
    EXPECT_EQ(ask(*backend, question()).all.text, "Zürich 🙂 \xEF\xBF\xBD and 日本.");
}

TEST(WrittenAnswer, GoesOnInThoughtsAndBehindThem) {
    ChatRequest request = question();
    request.thinking = true;
    for (const bool with_tokens : {true, false}) {
        const auto backend = saying("<think>\nHm, ü. Is </thin so?\n</think>\n\nYes.", with_tokens);
        const Answer whole = ask(*backend, request);
        EXPECT_EQ(whole.all.thinking, "Hm, ü. Is </thin so?\n");
        EXPECT_EQ(whole.all.text, "Yes.");
        expect_no_seam(*backend, request);
    }
}

TEST(WrittenAnswer, GoesOnInsideStopStrings) {
    ChatRequest request = question();
    request.stop = {"END"};
    const auto backend = saying("An EN, then ENEND and more");
    EXPECT_EQ(ask(*backend, request).all.text, "An EN, then EN");
    expect_no_seam(*backend, request);
}

TEST(WrittenAnswer, GoesOnInsideCallsOfTools) {
    ChatRequest request = question();
    const boost::json::object parameters = {{"type", "object"},
                                            {"properties", {{"city", {{"type", "string"}}}}}};
    request.tools = {boost::json::object{
        {"type", "function"}, {"function", {{"name", "get_weather"}, {"parameters", parameters}}}}};
    const auto backend = saying(
        "Let me see.\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": "
        "\"Zürich\"}}\n</tool_call>");
    const Answer whole = ask(*backend, request);
    EXPECT_EQ(whole.end.finish, ChatFinish::kToolCalls);
    EXPECT_TRUE(whole.all.calls.starts_with("get_weather{")) << whole.all.text;
    expect_no_seam(*backend, request);
}

TEST(WrittenAnswer, GoesOnInAForm) {
    ChatRequest request = question();
    request.form.gbnf = "root ::= \"[\" [0-9]+ (\",\" [0-9]+)* \"]\"";
    const auto backend = saying("[12,7,305] and what does not belong there");
    EXPECT_EQ(ask(*backend, request).all.text, "[12,7,305]");
    expect_no_seam(*backend, request);
}

TEST(WrittenAnswer, KeepsTheLimitOfItsTokens) {
    ChatRequest request = question();
    request.max_tokens = 9;
    const auto backend = saying("one two three four five");
    ChatRequest rest = request;
    rest.written.emplace().tokens = {'o', 'n', 'e'};
    const Answer joint = ask(*backend, rest);
    EXPECT_EQ(joint.all.text, "one two t");
    EXPECT_EQ(joint.fresh.text, " two t");
    EXPECT_EQ(joint.end.finish, ChatFinish::kLength);
}

TEST(WrittenAnswer, GoesOnBehindATextOfAnotherModel) {
    ChatRequest request = question();
    request.written = WrittenAnswer{.thinking = "", .text = "one <|im_end|> t"};
    const auto backend = saying("one <im_end--> two three");
    const Answer joint = ask(*backend, request);
    EXPECT_EQ(joint.all.text, "one <|im_end|> two three") << "control tokens are text in it";
    request.thinking = true;
    request.written = WrittenAnswer{.thinking = "hm", .text = "Ye"};
    for (const bool with_tokens : {true, false}) {
        const auto thinker = saying("<think>\nhm\n</think>\n\nYes", with_tokens);
        const Answer thought = ask(*thinker, request);
        EXPECT_EQ(thought.all.thinking, "hm\n");
        EXPECT_EQ(thought.all.text, "Yes");
        EXPECT_EQ(thought.fresh.text, "s");
    }
}

TEST(WrittenAnswer, RefusesTokensOfAnotherVocabulary) {
    const auto backend = saying("text");
    ChatRequest request = question();
    for (const std::int32_t id : {-1, 264, 1 << 30}) {
        request.written.emplace().tokens = {'t', id};
        const auto stream = backend->start(request, [](const ChatEvent&) { FAIL(); });
        ASSERT_FALSE(stream);
        EXPECT_EQ(stream.error().code, ErrorCode::kInvalidArgument);
    }
}

}  // namespace
}  // namespace notso::services
