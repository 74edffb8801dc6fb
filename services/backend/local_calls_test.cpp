// Calls from end to end, over models without weights: both of SmolLM3's kinds of template, hostile
// company, and a model that writes at random and is held to the form of a call.
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "ml/runtime/fake_model.hpp"
#include "services/backend/event_recorder.hpp"
#include "services/backend/local_backend.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;
using ml::TokenId;
using ml::testing::FakeModel;
using ml::testing::FakeTokenizer;

/// With a section for tools and a thought that the prompt opens, and without either.
constexpr std::string_view kTemplates[] = {
    "<|im_start|>system\n{% if messages[0].role == 'system' %}{{ messages[0].content }}{% endif %}"
    "{% if xml_tools or tools %}### Tools\n{% for tool in tools or xml_tools %}{{ tool | string "
    "}}\n{% endfor %}"
    "{% endif %}<|im_end|>\n{% for m in messages %}{% if m.role == 'assistant' "
    "%}<|im_start|>assistant\n"
    "{{ m.content }}<|im_end|>\n{% elif m.role != 'system' %}<|im_start|>user\n{{ m.content "
    "}}<|im_end|>\n{% endif %}"
    "{% endfor %}<|im_start|>assistant\n{% if enable_thinking %}<think>\n{% endif %}",
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor "
    "%}<|im_start|>assistant\n"};

std::unique_ptr<LocalBackend> make(const std::shared_ptr<FakeModel>& model,
                                   std::string_view chat_template) {
    model->chat_template_text = chat_template;
    model->mutable_config().context_length = model->mutable_plan().context_length = 4096;
    auto backend = std::make_unique<LocalBackend>(
        [model](const auto&) -> Result<std::shared_ptr<const ml::Model>> { return model; },
        LocalBackendOptions{.id = "tiny"});
    for (int i = 0; i < 10'000 && backend->health().state == HealthState::kLoading; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return backend;
}

ChatRequest ask(std::string text, bool thinking) {
    ChatRequest request;
    request.messages.push_back({.role = "user", .content = std::move(text)});
    request.thinking = thinking;
    const json::object parameters = {
        {"type", "object"},
        {"properties",
         {{"city", {{"type", "string"}, {"maxLength", 20}}},
          {"days", {{"type", "integer"}, {"minimum", 1}, {"maximum", 14}}},
          {"unit", {{"enum", json::array{"celsius", "fahrenheit"}}}}}},
        {"required", json::array{"city", "days", "unit"}},
        {"additionalProperties", false}};
    request.tools = {
        json::object{{"type", "function"},
                     {"function", {{"name", "get_weather"}, {"parameters", parameters}}}},
        json::object{{"type", "function"}, {"function", {{"name", "now"}}}}};
    return request;
}

struct Answer {
    std::string text;
    std::string thinking;
    std::vector<std::pair<std::string, std::string>> calls;
    chat_event::End end;
};

Answer answer_to(ChatBackend& backend, const ChatRequest& request) {
    const auto events = EventRecorder::create();
    const auto stream = backend.start(request, events->handler());
    EXPECT_TRUE(stream) << stream.error().detail;
    Answer answer;
    answer.end = events->end();
    answer.text = events->text();
    answer.thinking = events->thinking();
    for (const auto& begun : events->all<chat_event::ToolCallBegun>())
        answer.calls.emplace_back(begun.name, "");
    for (const auto& piece : events->all<chat_event::ToolCallArguments>())
        answer.calls.at(static_cast<std::size_t>(piece.index)).second += piece.text;
    return answer;
}

void expect_valid(const std::pair<std::string, std::string>& call) {
    boost::system::error_code error;
    const json::value arguments = json::parse(call.second, error);
    ASSERT_FALSE(error) << call.second;
    ASSERT_TRUE(arguments.is_object());
    if (call.first == "now") return;
    ASSERT_EQ(call.first, "get_weather");
    EXPECT_EQ(arguments.as_object().size(), 3U) << call.second;
    EXPECT_TRUE(arguments.at("city").is_string());
    const std::int64_t days = arguments.at("days").to_number<std::int64_t>();
    EXPECT_TRUE(days >= 1 && days <= 14) << days;
    const auto& unit = arguments.at("unit").as_string();
    EXPECT_TRUE(unit == "celsius" || unit == "fahrenheit") << unit;
}

/// The model reads what it has to say out of the last message of the prompt.
std::shared_ptr<FakeModel> repeating() {
    auto script = std::make_shared<std::vector<TokenId>>();
    return std::make_shared<FakeModel>(
        [script](std::span<const TokenId> tokens, std::size_t prompt_size) {
            const std::size_t at = tokens.size() - prompt_size;
            if (at == 0) {
                const std::string prompt = FakeTokenizer().decode(tokens);
                const std::size_t begin = prompt.rfind("SAY:") + 4;
                const std::string said = prompt.substr(begin, prompt.find(":END", begin) - begin);
                *script = FakeTokenizer().encode(said, {.special = ml::SpecialTokens::kParse});
            }
            return at < script->size() ? (*script)[at] : ml::testing::kImEnd;
        });
}

TEST(LocalCalls, TwoHundredCasesInHostileCompany) {
    const std::string call =
        R"({"name": "get_weather", "arguments": {"city": "<|eot_id|>}</x>", "days": 3, "unit": "celsius"}})";
    const std::string around[] = {"",
                                  "Let me see. ",
                                  "é漢😀 ",
                                  "{\"name\": \"now\"} ",
                                  "```json\n{}\n``` ",
                                  "<tool_cal ",
                                  "<b> & \" ' ",
                                  "}]} ",
                                  "<tool_response>x</tool_response> ",
                                  "a < b "};
    int cases = 0;
    for (const std::string_view chat_template : kTemplates) {
        const auto backend = make(repeating(), chat_template);
        const bool opens = chat_template.contains("enable_thinking");
        for (const std::string& before : around) {
            for (const std::string& after : around) {
                const std::string idea = R"(hm <tool_call>{"name": "now"}</tool_call>)";
                const std::string thought = (opens ? "" : "<think>") + idea + "</think>\n";
                const std::string said =
                    thought + before + "<tool_call>\n" + call + "\n</tool_call>" + after;
                const Answer answer = answer_to(*backend, ask("SAY:" + said + ":END", true));
                ASSERT_EQ(answer.calls.size(), 1U)
                    << said << "\nbecame " << answer.thinking << "\n"
                    << answer.text << (answer.end.error ? answer.end.error->detail : "");
                expect_valid(answer.calls[0]);
                EXPECT_EQ(answer.text, before + after);
                EXPECT_EQ(answer.thinking, idea);
                EXPECT_EQ(answer.end.finish, ChatFinish::kToolCalls);
                ++cases;
            }
        }
    }
    EXPECT_EQ(cases, 200);
}

/// Says anything: a mark sometimes, and otherwise whatever the numbers so far make it say.
std::shared_ptr<FakeModel> random_model() {
    return std::make_shared<FakeModel>([](std::span<const TokenId> tokens, std::size_t) {
        std::uint64_t hash = 14'695'981'039'346'656'037ULL;
        for (const TokenId id : tokens)
            hash = (hash ^ static_cast<std::uint64_t>(ml::to_int(id))) * 1'099'511'628'211ULL;
        hash ^= hash >> 29;
        return hash % 7 == 0 ? ml::testing::kToolCall
                             : TokenId{static_cast<std::int32_t>(hash / 7 % 128)};
    });
}

TEST(LocalCalls, WhatIsBegunAtRandomBecomesAValidCall) {
    const auto backend = make(random_model(), kTemplates[1]);
    int calls = 0;
    for (int i = 0; i < 60; ++i) {
        ChatRequest request = ask(fmt::format("question {}", i), false);
        request.sampling = {.temperature = 1.5, .top_p = 1.0, .seed = 7};
        request.max_tokens = 300;
        const Answer answer = answer_to(*backend, request);
        // One that is begun too late is no call.
        const bool is_cut = answer.end.finish == ChatFinish::kLength;
        EXPECT_TRUE(is_cut || !answer.text.contains("<tool_call>")) << answer.text;
        for (const auto& call : answer.calls) expect_valid(call);
        calls += static_cast<int>(answer.calls.size());
    }
    EXPECT_GT(calls, 60);
}

TEST(LocalCalls, ACallThatHasToComeComes) {
    for (const std::string_view chat_template : kTemplates) {
        const auto backend = make(random_model(), chat_template);
        for (const bool thinking : {false, true}) {
            ChatRequest request = ask("question", thinking);
            request.sampling = {.temperature = 1.0, .seed = 5};
            request.max_tokens = 300;
            request.thinking_budget = 20;
            request.tool_choice = {ToolChoice::Kind::kFunction, "get_weather"};
            const Answer answer = answer_to(*backend, request);
            ASSERT_EQ(answer.calls.size(), 1U);
            EXPECT_EQ(answer.calls[0].first, "get_weather");
            expect_valid(answer.calls[0]);
            EXPECT_EQ(answer.text, "");
            EXPECT_EQ(answer.end.finish, ChatFinish::kToolCalls);
            request.tool_choice = {ToolChoice::Kind::kRequired, ""};
            EXPECT_GE(answer_to(*backend, request).calls.size(), 1U);
        }
    }
}

TEST(LocalCalls, AnAnswerOfAFormMayBeACallInstead) {
    ChatRequest request = ask("question", false);
    request.form = json_schema_form(json::parse(R"({"enum": ["yes", "no"]})")).value();
    request.max_tokens = 300;
    request.sampling.temperature = 0.0;
    const auto script =
        FakeTokenizer().encode(R"(<tool_call>{"name": "now", "arguments": {}}</tool_call>)",
                               {.special = ml::SpecialTokens::kParse});
    const Answer call = answer_to(*make(FakeModel::scripted(script), kTemplates[1]), request);
    ASSERT_EQ(call.calls.size(), 1U);
    EXPECT_EQ(call.end.finish, ChatFinish::kToolCalls);
    const Answer word =
        answer_to(*make(FakeModel::scripted(FakeTokenizer().encode("no")), kTemplates[1]), request);
    EXPECT_TRUE(word.calls.empty());
    EXPECT_TRUE(word.text == "\"yes\"" || word.text == "\"no\"") << word.text;
}

TEST(LocalCalls, ASchemaThatCanNotBeFollowedIsRefused) {
    const auto backend = make(random_model(), kTemplates[1]);
    ChatRequest request = ask("question", false);
    request.tools[0].at("function").at("parameters").as_object()["$ref"] = "https://x.y/z";
    const auto refused = backend->start(request, [](ChatEvent) {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(refused.error().detail.find("get_weather"), std::string::npos)
        << refused.error().detail;
}

}  // namespace
}  // namespace notso::services
