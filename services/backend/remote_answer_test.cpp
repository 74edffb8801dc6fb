// Streams of remote servers, good and bad, however their bytes are cut.
#include "services/backend/remote_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/utf8.hpp"
#include "services/backend/event_recorder.hpp"

namespace notso::services {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Played {
    std::string thinking;
    std::string text;
    chat_event::End end;
    std::vector<ChatEvent> events;
    bool started = false;
};

Played play(std::string_view stream, std::size_t size = 64, std::optional<Error> broken = {}) {
    Played played;
    ChatEventHandler handler = [&](ChatEvent event) { played.events.push_back(std::move(event)); };
    RemoteAnswer answer(handler, "far.example");
    for (std::size_t at = 0; at < stream.size(); at += size) {
        if (!answer.push(stream.substr(at, size))) break;
    }
    played.end = answer.finish(std::move(broken));
    played.started = answer.started();
    for (const ChatEvent& event : played.events) {
        if (const auto* thought = std::get_if<chat_event::ThinkingText>(&event))
            played.thinking += thought->text;
        if (const auto* text = std::get_if<chat_event::Text>(&event)) played.text += text->text;
        EXPECT_FALSE(std::holds_alternative<chat_event::End>(event));
    }
    EXPECT_TRUE(is_valid_utf8(played.text) && is_valid_utf8(played.thinking));
    return played;
}

std::string content(std::string_view text) {
    return "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + std::string(text) +
           "\"}}]}\n\n";
}

constexpr std::string_view kWhole =
    ": hello\n\n"
    "data: "
    "{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null}}]}\r\n\r\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"Hm \"}}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"so.\"}}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Gr\\u00fc\"}}]}\n\n"
    "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"another\"}}]}\n\n"
    "data: "
    "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\xC3\x9F\x65!\"}}],\"usage\":null}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":9,"
    "\"prompt_tokens_details\":{\"cached_tokens\":4},\"completion_tokens_details\":{\"reasoning_"
    "tokens\":5}}}\n\n"
    "data: [DONE]\n\n";

TEST(RemoteAnswerTest, CutsDoNotMatter) {
    for (std::size_t size = 1; size < 200; ++size) {
        const Played played = play(kWhole, size);
        EXPECT_EQ(played.thinking, "Hm so.");
        EXPECT_EQ(played.text, "Grüße!");
        EXPECT_EQ(played.end.finish, ChatFinish::kStop);
        EXPECT_FALSE(played.end.error.has_value());
        EXPECT_EQ(played.end.usage.prompt_tokens, 12);
        EXPECT_EQ(played.end.usage.cached_tokens, 4);
        EXPECT_EQ(played.end.usage.completion_tokens, 9);
        EXPECT_EQ(played.end.usage.reasoning_tokens, 5);
    }
}

TEST(RemoteAnswerTest, ThinkingBeginsAndEndsOnce) {
    std::string order;
    for (const ChatEvent& event : play(kWhole).events) {
        if (std::holds_alternative<chat_event::ThinkingStarted>(event)) order += '(';
        if (std::holds_alternative<chat_event::ThinkingText>(event)) order += 't';
        if (std::holds_alternative<chat_event::ThinkingEnded>(event)) order += ')';
        if (std::holds_alternative<chat_event::Text>(event)) order += 'T';
    }
    EXPECT_EQ(order, "(tt)TT");
    EXPECT_EQ(play(content("<think>a") + content("b</think>c") + "data: [DONE]\n\n").thinking,
              "ab");
}

TEST(RemoteAnswerTest, AnEndMustBeSaid) {
    const Played cut = play(content("Half an ans"));
    EXPECT_EQ(cut.text, "Half an ans");
    EXPECT_EQ(cut.end.finish, ChatFinish::kError);
    EXPECT_EQ(
        cut.end.error->detail,
        "the server far.example closed the connection in the middle of the answer; try again");
    const Played broken = play(content("Half"), 64, Error{ErrorCode::kTimeout, "silence"});
    EXPECT_EQ(broken.end.error->detail, "silence");
    EXPECT_FALSE(play("").started);
    // A server that says why it stopped has ended, even if the connection then breaks.
    const std::string length =
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n";
    const Played said = play(content("a") + length, 64, Error{ErrorCode::kIo, "reset"});
    EXPECT_EQ(said.end.finish, ChatFinish::kLength);
    EXPECT_FALSE(said.end.error.has_value());
}

TEST(RemoteAnswerTest, ErrorsInTheStreamArePassedOn) {
    const Played failed =
        play(content("a") +
             "data: {\"error\":{\"message\":\"CUDA \\u001b[31mfell over\",\"code\":500}}\n\n" +
             content("b"));
    EXPECT_EQ(failed.text, "a");
    EXPECT_EQ(failed.end.finish, ChatFinish::kError);
    EXPECT_EQ(failed.end.error->detail,
              "the server far.example broke off with an error: \"CUDA \\x1b[31mfell over\"");
    EXPECT_THAT(play("data: {\"error\":\"plain\"}\n\n").end.error->detail, HasSubstr("\"plain\""));
    EXPECT_THAT(play("data: {\"error\":{}}\n\n").end.error->detail,
                HasSubstr("broke off with an error"));
    EXPECT_THAT(play("data: {\"error\":{\"message\":\"" + std::string(100'000, 'x') + "\"}}\n\n")
                    .end.error->detail.size(),
                ::testing::Lt(400u));
    const Played filtered =
        play("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n");
    EXPECT_EQ(filtered.end.finish, ChatFinish::kError);
}

TEST(RemoteAnswerTest, GarbageEndsTheAnswer) {
    for (const std::string& garbage :
         {std::string("data: <html>\n\n"),
          std::string("data: {\"choices\":[\n\n"),
          std::string("data: 7\n\n"),
          "data: " + std::string(5000, '[') + "\n\n",
          "data: {\"choices\":" + std::string(100, '[') + std::string(100, ']') + "}\n\n"}) {
        const Played played = play(content("kept") + garbage);
        EXPECT_EQ(played.text, "kept");
        ASSERT_TRUE(played.end.error.has_value()) << garbage.substr(0, 40);
        EXPECT_EQ(played.end.error->code, ErrorCode::kCorruptData);
        EXPECT_THAT(played.end.error->detail, Not(HasSubstr("html")));
    }
    const Played huge = play(content("kept") + "data: " + std::string(2'000'000, 'x'), 4096);
    EXPECT_EQ(huge.end.error->code, ErrorCode::kTooLarge);
    EXPECT_EQ(huge.text, "kept");
}

TEST(RemoteAnswerTest, FieldsOfWrongTypesAreSkipped) {
    const Played played = play(
        "data: {\"choices\":{}}\n\ndata: "
        "{\"choices\":[null,3,{\"delta\":[]},{\"delta\":{\"content\":7,\"tool_calls\":[1,{}]}}]}"
        "\n\n"
        "data: "
        "{\"usage\":{\"prompt_tokens\":-3,\"completion_tokens\":\"many\",\"prompt_tokens_details\":"
        "{\"cached_tokens\":99}}}\n\n" +
        content("fine") + "data: [DONE]\n\n");
    EXPECT_EQ(played.text, "fine");
    EXPECT_FALSE(played.end.error.has_value());
    EXPECT_EQ(played.end.usage.prompt_tokens, 0);
    EXPECT_EQ(played.end.usage.cached_tokens, 0);
    EXPECT_EQ(played.end.usage.completion_tokens, 1);  // counted here
}

TEST(RemoteAnswerTest, BadUtf8BecomesReplacementCharacters) {
    EXPECT_EQ(play(content("a\xFF\xC3(b") + "data: [DONE]\n\n").text, "a\uFFFD\uFFFD(b");
}

TEST(RemoteAnswerTest, ReadsPlainCompletionsAndLogprobs) {
    const Played plain = play(
        "data: {\"choices\":[{\"index\":0,\"text\":\"<think>\",\"finish_reason\":null}]}\n\ndata: "
        "[DONE]\n\n");
    EXPECT_EQ(plain.text, "<think>");
    const Played played = play(
        "data: "
        "{\"choices\":[{\"delta\":{\"content\":\"Hi\"},\"logprobs\":{\"content\":[{\"token\":"
        "\"Hi\",\"logprob\":-0.5,"
        "\"bytes\":[72,105,300],\"top_logprobs\":[{\"token\":\"Ho\",\"logprob\":-1,\"bytes\":null}]"
        "}]}}]}\n\ndata: [DONE]\n\n");
    const auto* text = std::get_if<chat_event::Text>(&played.events.at(1));
    ASSERT_NE(text, nullptr);
    ASSERT_EQ(text->logprobs.size(), 1u);
    EXPECT_EQ(text->logprobs[0].chosen.bytes, "Hi");
    EXPECT_EQ(text->logprobs[0].chosen.logprob, -0.5);
    EXPECT_EQ(text->logprobs[0].top.at(0).bytes, "Ho");
}

TEST(RemoteAnswerTest, ToolCallsLookLikeThoseOfLocalModels) {
    const auto call = [](std::string_view function) {
        return "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":" +
               std::string(function) + "}]}}]}\n\n";
    };
    const Played played =
        play(call(R"({"name":"add","arguments":"{\"a\":"})") + call(R"({"arguments":"1}"})") +
             "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: "
             "[DONE]\n\n");
    EXPECT_EQ(played.text,
              "<tool_call>\n{\"name\":\"add\",\"arguments\":{\"a\":1}}\n</tool_call>\n");
    EXPECT_EQ(played.end.finish, ChatFinish::kStop);
    // Half a call is none.
    EXPECT_EQ(play(call(R"({"name":"add","arguments":"{\"a\":"})")).text, "");
}

}  // namespace
}  // namespace notso::services
