// What a remote server is sent: everything that was asked for, and nothing that was not.
#include "services/backend/remote_request.hpp"

#include <gtest/gtest.h>

namespace notso::services {
namespace {

namespace json = boost::json;

TEST(RemoteRequestTest, SendsOnlyWhatWasAskedFor) {
    ChatRequest request;
    request.messages = {{.role = "user", .content = "Hi"}};
    EXPECT_EQ(remote_path(request), "/chat/completions");
    EXPECT_EQ(remote_body(request),
              json::parse(R"({"stream":true,"stream_options":{"include_usage":true},
                              "messages":[{"role":"user","content":"Hi"}]})"));
    EXPECT_EQ(remote_template_variables(request), json::parse(R"({"enable_thinking":false})"));
}

TEST(RemoteRequestTest, SendsTheFormAsItCame) {
    ChatRequest request;
    request.form = json_object_form();
    request.form.response_format = {{"type", "json_object"}};
    EXPECT_EQ(remote_body(request).at("response_format"), request.form.response_format);
    EXPECT_FALSE(remote_body(request).contains("grammar"));
    request.form = grammar_form("root ::= \"a\"").value();
    EXPECT_EQ(remote_body(request).at("grammar"), "root ::= \"a\"");
    EXPECT_FALSE(remote_body(request).contains("response_format"));
}

TEST(RemoteRequestTest, SendsEverySetting) {
    ChatRequest request;
    request.messages = {{.role = "system", .content = "/think be brief"},
                        {.role = "assistant",
                         .content = "",
                         .tool_calls = json::parse(R"([{"id":"c"}])").get_array()},
                        {.role = "tool", .content = "4", .name = "add", .tool_call_id = "c"}};
    request.tools = json::parse(R"([{"type":"function"}])").get_array();
    request.thinking = true;
    request.thinking_overrides_system = true;
    request.template_variables =
        json::parse(R"({"enable_thinking":false,"tone":"dry"})").get_object();
    request.sampling = {.temperature = 0.5,
                        .top_p = 0.25,
                        .min_p = 0.125,
                        .top_k = 7,
                        .repeat_penalty = 1.5,
                        .presence_penalty = 0.5,
                        .frequency_penalty = -0.5,
                        .seed = 18446744073709551615u,
                        .logit_bias = {{5, -100.0}}};
    request.max_tokens = 9;
    request.stop = {"END"};
    request.logprobs = true;
    request.top_logprobs = 2;
    EXPECT_EQ(remote_body(request),
              json::parse(R"({"stream":true,"stream_options":{"include_usage":true},
        "messages":[{"role":"system","content":"be brief"},
                    {"role":"assistant","content":"","tool_calls":[{"id":"c"}]},
                    {"role":"tool","content":"4","name":"add","tool_call_id":"c"}],
        "tools":[{"type":"function"}],"logprobs":true,"top_logprobs":2,
        "temperature":0.5,"top_p":0.25,"min_p":0.125,"top_k":7,"repeat_penalty":1.5,
        "presence_penalty":0.5,"frequency_penalty":-0.5,"seed":18446744073709551615,
        "logit_bias":{"5":-100.0},"max_tokens":9,"stop":["END"]})"));
    EXPECT_EQ(remote_template_variables(request),
              json::parse(R"({"enable_thinking":true,"tone":"dry"})"));
}

TEST(RemoteRequestTest, ContinuesPlainText) {
    ChatRequest request;
    request.raw_prompt = "Once upon";
    EXPECT_EQ(remote_path(request), "/completions");
    EXPECT_EQ(remote_body(request).at("prompt"), "Once upon");
    EXPECT_FALSE(remote_body(request).contains("messages"));
    EXPECT_TRUE(remote_template_variables(request).empty());
}

}  // namespace
}  // namespace notso::services
