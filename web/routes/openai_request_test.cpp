// Parameter validation of the API: every field, every wrong kind of value.
#include "web/routes/openai_request.hpp"

#include <gtest/gtest.h>

namespace notso::web {
namespace {

ModelLookup model() {
    return [](const std::string& name) -> Result<services::ModelInfo> {
        if (name == "gone") return fail(ErrorCode::kNotFound, "there is no model gone");
        services::ModelInfo info;
        info.id = name.empty() ? "standard" : name;
        info.context_length = 100;
        return info;
    };
}

ApiResult<OpenAiCall> parse(std::string_view more,
                            std::string_view messages = R"([{"role":"user","content":"hi"}])") {
    return parse_chat_call(
        fmt::format(R"({{"messages":{}{}{}}})", messages, more.empty() ? "" : ",", more), model());
}

/// "" when accepted, else the field blamed.
std::string blamed(std::string_view more) {
    const auto call = parse(more);
    if (call) return "";
    EXPECT_EQ(http_status(call.error().error.code), 400) << more;
    return call.error().info.param;
}

std::string blamed_messages(std::string_view messages) {
    const auto call = parse("", messages);
    return call ? "" : call.error().info.param;
}

TEST(OpenAiRequest, ReadsEverything) {
    const auto call = parse(
        R"("model":"any","max_tokens":5,"max_completion_tokens":7,"temperature":0,"top_p":0.5,"top_k":3,"min_p":0.1,)"
        R"("repeat_penalty":1.1,"presence_penalty":-2,"frequency_penalty":2,"seed":18446744073709551615,)"
        R"("logit_bias":{"5":-100,"6":1.5},"stop":["a","b"],"stream":true,"stream_options":{"include_usage":true},)"
        R"("logprobs":true,"top_logprobs":20,"n":1.0,"reasoning_effort":"high","response_format":{"type":"text"},)"
        R"("chat_template_kwargs":{"x":1},"user":"u","whatever":{"a":[1]})");
    ASSERT_TRUE(call) << call.error().error.detail;
    EXPECT_EQ(call->request.max_tokens, 7);
    EXPECT_EQ(call->request.sampling.temperature, 0.0);
    EXPECT_EQ(call->request.sampling.top_k, 3);
    EXPECT_EQ(call->request.sampling.seed, UINT64_MAX);
    EXPECT_EQ(call->request.sampling.logit_bias.size(), 2U);
    EXPECT_EQ(call->request.stop, (std::vector<std::string>{"a", "b"}));
    EXPECT_TRUE(call->stream);
    EXPECT_TRUE(call->include_usage);
    EXPECT_EQ(call->request.top_logprobs, 20);
    EXPECT_TRUE(call->request.thinking);
    EXPECT_EQ(call->request.template_variables.at("x").as_int64(), 1);
}

TEST(OpenAiRequest, TheModelIsLookedUp) {
    EXPECT_EQ(parse(R"("model":"other")")->request.model, "other");
    EXPECT_EQ(parse(R"("model":"other")")->model_id, "other");
    EXPECT_EQ(parse("")->request.model, "") << "the default";
    EXPECT_EQ(parse("")->model_id, "standard");
    const auto gone = parse(R"("model":"gone")");
    ASSERT_FALSE(gone);
    EXPECT_EQ(http_status(gone.error().error.code), 404);
    EXPECT_EQ(gone.error().info.param, "model");
    EXPECT_EQ(gone.error().info.code, "model_not_found");
}

TEST(OpenAiRequest, NullMeansAbsent) {
    const auto call = parse(
        R"("max_tokens":null,"temperature":null,"stop":null,"stream":null,"stream_options":null,"tools":null,)"
        R"("tool_choice":null,"seed":null,"logprobs":null,"response_format":null,"logit_bias":null,"n":null)");
    ASSERT_TRUE(call) << call.error().error.detail;
    EXPECT_FALSE(call->request.sampling.temperature);
    EXPECT_EQ(call->request.max_tokens, 0);
}

struct NumberField {
    const char* name;
    std::vector<const char*> good;
    std::vector<const char*> bad;
};

TEST(OpenAiRequest, NumbersAreFiniteAndInRange) {
    const std::vector<NumberField> fields = {
        {"temperature", {"0", "1e-9", "2"}, {"-1", "2.0001", "-0.1"}},
        {"top_p", {"1", "0.01"}, {"-1", "0", "1.01"}},
        {"min_p", {"0", "1"}, {"-1", "1.01"}},
        {"top_k", {"0", "1", "2147483647"}, {"-1", "0.5", "2147483648"}},
        {"repeat_penalty", {"1", "10"}, {"-1", "0", "10.1"}},
        {"presence_penalty", {"-2", "0", "2"}, {"-2.1", "2.1"}},
        {"frequency_penalty", {"-2", "0", "2"}, {"-2.1", "2.1"}},
        {"max_tokens", {"1", "100", "3.0"}, {"0", "-1", "101", "1.5", "2147483648"}},
        {"max_completion_tokens", {"1"}, {"0", "-1", "101"}},
        {"seed", {"0", "9223372036854775808"}, {"-1", "0.5", "18446744073709551616", "1e19"}},
        {"n", {"1"}, {"0", "2", "-1", "1.5"}},
        {"top_logprobs", {"0"}, {"-1", "21", "1.5"}},
    };
    for (const auto& [name, good, bad] : fields) {
        for (const char* value : good)
            EXPECT_EQ(blamed(fmt::format(R"("{}":{})", name, value)), "") << name << value;
        auto wrong = bad;
        for (const char* value : {"1e308", "-1e308", "1e999", "\"1\"", "[]", "{}", "true"})
            wrong.push_back(value);
        for (const char* value : wrong) {
            const std::string param = blamed(fmt::format(R"("{}":{})", name, value));
            EXPECT_TRUE(param == name) << name << " = " << value << " blames " << param;
        }
        for (const char* value :
             {"NaN", "Infinity", "-Infinity", "nan", "+1", "01", ".5", "1.", "0x1"}) {
            EXPECT_FALSE(parse(fmt::format(R"("{}":{})", name, value))) << name << value;
        }
    }
}

TEST(OpenAiRequest, OtherTypesAreChecked) {
    for (const char* name : {"stream", "logprobs", "parallel_tool_calls"}) {
        for (const char* value : {"1", "\"true\"", "[]", "{}"}) {
            EXPECT_EQ(blamed(fmt::format(R"("{}":{})", name, value)), name) << value;
        }
    }
    EXPECT_EQ(blamed(R"("model":5)"), "model");
    EXPECT_EQ(blamed(R"("stream_options":true)"), "stream_options");
    EXPECT_EQ(blamed(R"("stream_options":{"include_usage":1})"), "stream_options.include_usage");
    EXPECT_EQ(blamed(R"("reasoning_effort":"very")"), "reasoning_effort");
    EXPECT_EQ(blamed(R"("chat_template_kwargs":{"enable_thinking":1})"),
              "chat_template_kwargs.enable_thinking");
    EXPECT_EQ(blamed(R"("logit_bias":{"x":1})"), "logit_bias");
    EXPECT_EQ(blamed(R"("logit_bias":{"1":101})"), "logit_bias");
    EXPECT_EQ(blamed(R"("logit_bias":{"1":"2"})"), "logit_bias");
    EXPECT_EQ(blamed(R"("top_logprobs":1)"), "top_logprobs");
    EXPECT_EQ(blamed(R"("response_format":{"type":"xml"})"), "response_format.type");
}

TEST(OpenAiRequest, TheAnswersFormIsChecked) {
    const auto form = [](std::string_view more) { return parse(more).value().request.form; };
    EXPECT_TRUE(form(R"("response_format":{"type":"text"})").is_free());
    EXPECT_FALSE(form(R"("response_format":{"type":"json_object"})").is_free());
    EXPECT_EQ(form(R"("grammar":"root ::= \"a\"")").gbnf, "root ::= \"a\"");
    const auto schema = form(
        R"("response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"null"}}})");
    EXPECT_NE(schema.gbnf.find("null"), std::string::npos);
    EXPECT_TRUE(schema.response_format.contains("json_schema")) << "for other servers";
    EXPECT_EQ(blamed(R"("response_format":[])"), "response_format");
    EXPECT_EQ(blamed(R"("response_format":{})"), "response_format.type");
    EXPECT_EQ(blamed(R"("response_format":{"type":"json_schema"})"), "response_format.json_schema");
    EXPECT_EQ(blamed(R"("response_format":{"type":"json_schema","json_schema":{}})"),
              "response_format.json_schema.schema");
    EXPECT_EQ(
        blamed(
            R"("response_format":{"type":"json_schema","json_schema":{"strict":1,"schema":{}}})"),
        "response_format.json_schema.strict");
    EXPECT_EQ(
        blamed(R"("response_format":{"type":"json_schema","json_schema":{"schema":{"not":{}}}})"),
        "response_format.json_schema.schema");
    EXPECT_EQ(blamed(R"("grammar":"root ::= *")"), "grammar");
    EXPECT_EQ(blamed(R"("grammar":"")"), "grammar");
    EXPECT_EQ(blamed(R"("grammar":7)"), "grammar");
    EXPECT_EQ(blamed(R"("grammar":"root ::= \"a\"","response_format":{"type":"json_object"})"),
              "grammar");
    const auto completion =
        parse_completion_call(R"({"prompt":"p","grammar":"root ::= [a-z]+"})", model());
    EXPECT_FALSE(completion.value().request.form.is_free());
}

TEST(OpenAiRequest, WhatIsNotDoneYetSaysSo) {
    for (const char* body : {R"("tool_choice":{"type":"custom"})"}) {
        const auto call = parse(body);
        ASSERT_FALSE(call) << body;
        EXPECT_EQ(call.error().info.code, "unsupported_value") << body;
        EXPECT_FALSE(call.error().info.param.empty()) << body;
    }
}

TEST(OpenAiRequest, ThinkingSwitches) {
    EXPECT_FALSE(parse("")->request.thinking);
    EXPECT_FALSE(parse(R"("reasoning_effort":"none")")->request.thinking);
    EXPECT_TRUE(parse(R"("reasoning_effort":"low")")->request.thinking);
    EXPECT_TRUE(parse(R"("chat_template_kwargs":{"enable_thinking":true})")->request.thinking);
    EXPECT_FALSE(
        parse(R"("reasoning_effort":"low","chat_template_kwargs":{"enable_thinking":false})")
            ->request.thinking);
}

TEST(OpenAiRequest, ThinkingBudgets) {
    const auto budget = [](std::string_view more) { return parse(more)->request.thinking_budget; };
    EXPECT_EQ(budget(""), std::nullopt);
    EXPECT_EQ(budget(R"("reasoning_effort":"none")"), 0);
    EXPECT_LT(*budget(R"("reasoning_effort":"minimal")"), *budget(R"("reasoning_effort":"low")"));
    EXPECT_LT(*budget(R"("reasoning_effort":"low")"), *budget(R"("reasoning_effort":"medium")"));
    EXPECT_EQ(budget(R"("reasoning_effort":"high")"), std::nullopt);
    EXPECT_EQ(budget(R"("reasoning_effort":"low","thinking_budget_tokens":7)"), 7);
    EXPECT_TRUE(parse(R"("thinking_budget_tokens":7)")->request.thinking);
    EXPECT_FALSE(parse(R"("thinking_budget_tokens":0)")->request.thinking);
    EXPECT_EQ(budget(R"("chat_template_kwargs":{"enable_thinking":false})"), 0);
    EXPECT_EQ(
        budget(R"("reasoning_effort":"none","chat_template_kwargs":{"enable_thinking":true})"),
        std::nullopt);
    for (const char* value : {"-1", "1.5", "1e308", "\"1\"", "[]", "{}", "true", "2147483648"})
        EXPECT_EQ(blamed(fmt::format(R"("thinking_budget_tokens":{})", value)),
                  "thinking_budget_tokens")
            << value;
    EXPECT_EQ(blamed(R"("thinking_budget_tokens":null)"), "");
}

TEST(OpenAiRequest, ToolChoices) {
    using Kind = services::ToolChoice::Kind;
    const std::string tools =
        R"("tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}}],)";
    const auto choice = [&](std::string_view value) {
        return parse(fmt::format(R"({}"tool_choice":{})", tools, value))->request.tool_choice;
    };
    EXPECT_EQ(choice("\"auto\"").kind, Kind::kAuto);
    EXPECT_EQ(choice("\"required\"").kind, Kind::kRequired);
    const auto named = choice(R"({"type":"function","function":{"name":"b"}})");
    EXPECT_EQ(named.kind, Kind::kFunction);
    EXPECT_EQ(named.name, "b");
    EXPECT_EQ(blamed(R"("tool_choice":"required")"), "tool_choice");
    EXPECT_EQ(blamed(tools + R"("tool_choice":"maybe")"), "tool_choice");
    EXPECT_EQ(blamed(tools + R"("tool_choice":5)"), "tool_choice");
    EXPECT_EQ(blamed(tools + R"("tool_choice":[])"), "tool_choice");
    EXPECT_EQ(blamed(tools + R"("tool_choice":{"function":{"name":"c"}})"),
              "tool_choice.function.name");
    EXPECT_EQ(blamed(tools + R"("tool_choice":{"function":{}})"), "tool_choice.function.name");
    EXPECT_EQ(blamed(tools + R"("tool_choice":{})"), "tool_choice.function");
    EXPECT_EQ(blamed(tools + R"("tool_choice":{"type":"custom"})"), "tool_choice.type");
    EXPECT_TRUE(parse("")->request.parallel_tool_calls);
    EXPECT_FALSE(parse(R"("parallel_tool_calls":false)")->request.parallel_tool_calls);
}

TEST(OpenAiRequest, Stops) {
    const auto stops = [](std::size_t count, std::size_t bytes) {
        std::string list;
        for (std::size_t i = 0; i < count; ++i)
            list += (i ? ",\"" : "\"") + std::string(bytes, 's') + "\"";
        return blamed("\"stop\":[" + list + "]");
    };
    EXPECT_EQ(stops(kMaxStops, kMaxStopBytes), "");
    EXPECT_EQ(stops(kMaxStops + 1, 1), "stop");
    EXPECT_EQ(stops(kMaxStops * 1000, 1), "stop");
    EXPECT_EQ(stops(1, kMaxStopBytes + 1), "stop");
    EXPECT_EQ(stops(1, kMaxStopBytes * 1000), "stop");
    EXPECT_EQ(stops(1, 0), "stop");
    EXPECT_EQ(blamed(R"("stop":5)"), "stop");
    EXPECT_EQ(blamed(R"("stop":[5])"), "stop");
    EXPECT_EQ(parse(R"("stop":"x")")->request.stop, std::vector<std::string>{"x"});
}

TEST(OpenAiRequest, Messages) {
    const auto call = parse("", R"([{"role":"developer","content":"d"},
        {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"name":"n"},
        {"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function",
            "function":{"name":"f","arguments":"{}"}}]},
        {"role":"tool","content":"r","tool_call_id":"1"}])");
    ASSERT_TRUE(call) << call.error().error.detail;
    const auto& messages = call->request.messages;
    EXPECT_EQ(messages[0].role, "system");
    EXPECT_EQ(messages[1].content, "a\nb");
    EXPECT_EQ(messages[1].name, "n");
    EXPECT_EQ(messages[2].tool_calls.size(), 1U);
    EXPECT_EQ(messages[3].tool_call_id, "1");

    EXPECT_EQ(blamed_messages("null"), "messages");
    EXPECT_EQ(blamed_messages("[]"), "messages");
    EXPECT_EQ(blamed_messages("{}"), "messages");
    EXPECT_EQ(blamed_messages("[5]"), "messages[0]");
    EXPECT_EQ(blamed_messages(R"([{"content":"x"}])"), "messages[0].role");
    EXPECT_EQ(blamed_messages(R"([{"role":"root","content":"x"}])"), "messages[0].role");
    EXPECT_EQ(blamed_messages(R"([{"role":5,"content":"x"}])"), "messages[0].role");
    EXPECT_EQ(blamed_messages(R"([{"role":"user"}])"), "messages[0].content");
    EXPECT_EQ(blamed_messages(R"([{"role":"user","content":5}])"), "messages[0].content");
    EXPECT_EQ(blamed_messages(R"([{"role":"user","content":[5]}])"), "messages[0].content[0]");
    EXPECT_EQ(blamed_messages(R"([{"role":"user","content":[{"type":"image_url"}]}])"),
              "messages[0].content[0].type");
    EXPECT_EQ(blamed_messages(R"([{"role":"user","content":[{"type":"text"}]}])"),
              "messages[0].content[0].text");
    EXPECT_EQ(blamed_messages(R"([{"role":"assistant","tool_calls":[{"function":{"name":"f"}}]}])"),
              "messages[0].tool_calls[0].function.arguments");
}

TEST(OpenAiRequest, CountsOfMessagesAndTools) {
    const auto repeat = [](std::string_view item, std::size_t count) {
        std::string list;
        for (std::size_t i = 0; i < count; ++i) list += (i ? "," : "") + std::string(item);
        return "[" + list + "]";
    };
    const std::string message = R"({"role":"user","content":""})";
    EXPECT_EQ(blamed_messages(repeat(message, kMaxMessages)), "");
    EXPECT_EQ(blamed_messages(repeat(message, kMaxMessages + 1)), "messages");
    const std::string tool = R"({"type":"function","function":{"name":"f","parameters":{}}})";
    EXPECT_EQ(blamed("\"tools\":" + repeat(tool, kMaxTools)), "");
    EXPECT_EQ(blamed("\"tools\":" + repeat(tool, kMaxTools + 1)), "tools");
    EXPECT_EQ(blamed("\"tools\":" + repeat(tool, kMaxTools * 1000)), "tools");
    EXPECT_EQ(parse("\"tools\":" + repeat(tool, 2))->request.tools.size(), 2U);
    EXPECT_EQ(parse(R"("tool_choice":"none","tools":)" + repeat(tool, 2))->request.tools.size(),
              0U);
    EXPECT_EQ(blamed(R"("tools":[{"type":"function","function":{"name":"a b"}}])"),
              "tools[0].function.name");
    EXPECT_EQ(blamed(R"("tools":[{"type":"web"}])"), "tools[0].type");
}

TEST(OpenAiRequest, JsonItself) {
    const auto nested = [](int depth) {
        return "\"x\":" + std::string(static_cast<std::size_t>(depth), '[') +
               std::string(static_cast<std::size_t>(depth), ']');
    };
    EXPECT_TRUE(parse(nested(63)));
    EXPECT_FALSE(parse(nested(64)));
    EXPECT_FALSE(parse(nested(64'000)));
    for (const char* body :
         {"", "[]", "5", "null", "{", "{}}", "{\"a\":1,}", "{'a':1}", "\xEF\xBB\xBF{}", "{} {}"}) {
        EXPECT_FALSE(parse_chat_call(body, model())) << body;
    }
    EXPECT_FALSE(parse("", "[{\"role\":\"user\",\"content\":\"\xFF\"}]")) << "invalid UTF-8";
    EXPECT_FALSE(parse("", "[{\"role\":\"user\",\"content\":\"\xED\xA0\x80\"}]"))
        << "an encoded surrogate";
    EXPECT_FALSE(parse("", R"([{"role":"user","content":"\ud800"}])")) << "half a surrogate pair";
    EXPECT_TRUE(parse("", R"([{"role":"user","content":"\ud83d\ude00 \u0000"}])"));
}

TEST(OpenAiRequest, PlainCompletions) {
    EXPECT_EQ(
        parse_completion_call(R"({"prompt":"abc","max_tokens":3})", model())->request.raw_prompt,
        "abc");
    EXPECT_EQ(parse_completion_call(R"({"prompt":["abc"]})", model())->request.raw_prompt, "abc");
    for (const char* body : {"{}",
                             R"({"prompt":5})",
                             R"({"prompt":["a","b"]})",
                             R"({"prompt":[1,2]})",
                             R"({"prompt":"a","echo":true})",
                             R"({"prompt":"a","suffix":"b"})",
                             R"({"prompt":"a","best_of":2})"}) {
        EXPECT_FALSE(parse_completion_call(body, model())) << body;
    }
}

}  // namespace
}  // namespace notso::web
