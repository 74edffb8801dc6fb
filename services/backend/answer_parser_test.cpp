// The parser: thinking by token and by text, UTF-8, stop strings, log probabilities.
#include "services/backend/answer_parser.hpp"

#include <gtest/gtest.h>

#include "ml/runtime/fake_model.hpp"

namespace notso::services {
namespace {

using ml::TokenId;
using ml::testing::FakeTokenizer;

struct Parsed {
    std::string thinking;
    std::string text;
    std::string
        order;  ///< One letter per event: S thinking started, h thought, E thinking ended, t text
    std::string calls;  ///< Name and arguments of each, with a semicolon behind it.
    std::vector<std::string> logprob_bytes;
    std::int64_t progress = 0;
    std::int64_t reasoning = 0;
    bool stopped = false;
};

void note(Parsed& parsed, ChatEvent event) {
    if (std::holds_alternative<chat_event::Progress>(event)) ++parsed.progress;
    if (std::holds_alternative<chat_event::ThinkingStarted>(event)) parsed.order += 'S';
    if (std::holds_alternative<chat_event::ThinkingEnded>(event)) parsed.order += 'E';
    if (const auto* call = std::get_if<chat_event::ToolCallBegun>(&event)) {
        parsed.order += 'c';
        parsed.calls += call->name;
    }
    if (const auto* arguments = std::get_if<chat_event::ToolCallArguments>(&event))
        parsed.calls += arguments->text;
    if (std::holds_alternative<chat_event::ToolCallDone>(event)) parsed.calls += ';';
    if (const auto* thought = std::get_if<chat_event::ThinkingText>(&event)) {
        EXPECT_TRUE(is_valid_utf8(thought->text));
        EXPECT_FALSE(thought->text.empty());
        parsed.thinking += thought->text;
        if (!parsed.order.ends_with('h')) parsed.order += 'h';
    }
    if (const auto* text = std::get_if<chat_event::Text>(&event)) {
        EXPECT_TRUE(is_valid_utf8(text->text));
        parsed.text += text->text;
        if (!parsed.order.ends_with('t')) parsed.order += 't';
        for (const TokenLogprobs& entry : text->logprobs)
            parsed.logprob_bytes.push_back(entry.chosen.bytes);
    }
}

/// Feeds tokens until the parser wants to stop.
Parsed parse(const FakeTokenizer& tokenizer,
             const std::vector<TokenId>& ids,
             AnswerOptions options = {},
             bool was_cut = false) {
    Parsed parsed;
    ChatEventHandler handler = [&](ChatEvent event) { note(parsed, std::move(event)); };
    const AnswerTokens tokens(tokenizer);
    AnswerParser parser(tokens, std::move(options), handler);
    for (const TokenId id : ids) {
        parser.push({.id = id, .logprob = -0.5F});
        if (parser.stopped()) break;
    }
    parser.finish(was_cut);
    parsed.reasoning = parser.reasoning_tokens();
    parsed.stopped = parser.stopped();
    return parsed;
}

/// Think tags in `text` become tokens where the tokenizer has them.
Parsed parse_text(const FakeTokenizer& tokenizer,
                  std::string_view text,
                  AnswerOptions options = {}) {
    return parse(tokenizer,
                 tokenizer.encode(text, {.special = ml::SpecialTokens::kParse}),
                 std::move(options));
}

TEST(AnswerParser, SplitsThinkingByToken) {
    const Parsed parsed = parse_text(FakeTokenizer(), "<think>\nhm?\n</think>\n\nParis");
    EXPECT_EQ(parsed.thinking, "hm?\n");
    EXPECT_EQ(parsed.text, "Paris");
    EXPECT_EQ(parsed.order, "ShEt");
    EXPECT_EQ(parsed.reasoning, 1 + 5 + 1);
    EXPECT_EQ(parsed.progress, 1 + 5 + 1 + 2 + 5);
}

TEST(AnswerParser, TagsWrittenAsTextAreTextWhenTheModelHasTokens) {
    const FakeTokenizer tokenizer;
    const Parsed parsed = parse(tokenizer, tokenizer.encode("<think>a</think>b"));
    EXPECT_EQ(parsed.text, "<think>a</think>b");
    EXPECT_EQ(parsed.reasoning, 0);
}

TEST(AnswerParser, SplitsThinkingByTextTagsWithoutTokens) {
    const FakeTokenizer tokenizer(false);
    const Parsed parsed = parse_text(tokenizer, " \n<think>hm</think>\nParis <think>no</think>");
    EXPECT_EQ(parsed.thinking, "hm");
    EXPECT_EQ(parsed.text, "Paris <think>no</think>");
    EXPECT_EQ(parsed.order, "ShEt");
    EXPECT_EQ(parse_text(tokenizer, "<thin ice").text, "<thin ice");
    EXPECT_EQ(parse_text(tokenizer, "\n<th").text, "\n<th");
    EXPECT_EQ(parse_text(tokenizer, "Hi <think>x").text, "Hi <think>x");
}

TEST(AnswerParser, StartsInsideThinkingWhenThePromptLeftItOpen) {
    const Parsed by_token =
        parse_text(FakeTokenizer(), "so\n</think>\nYes", {.thinking_open = true});
    EXPECT_EQ(by_token.thinking, "so\n");
    EXPECT_EQ(by_token.text, "Yes");
    const Parsed by_text =
        parse_text(FakeTokenizer(false), "so</thin</think>\nYes", {.thinking_open = true});
    EXPECT_EQ(by_text.thinking, "so</thin");
    EXPECT_EQ(by_text.text, "Yes");
}

TEST(AnswerParser, AnEmptyThoughtIsNotShown) {
    const Parsed parsed = parse_text(FakeTokenizer(), "<think>\n\n</think>\nHello");
    EXPECT_EQ(parsed.order, "t");
    EXPECT_EQ(parsed.text, "Hello");
}

TEST(AnswerParser, ThinkingThatNeverEndsIsClosed) {
    EXPECT_EQ(parse_text(FakeTokenizer(), "<think>on and on").order, "ShE");
    const Parsed by_text = parse_text(FakeTokenizer(false), "<think>on and </th");
    EXPECT_EQ(by_text.order, "ShE");
    EXPECT_EQ(by_text.thinking, "on and </th");
}

TEST(AnswerParser, OnlyNewlinesRightAfterThinkingAreTrimmed) {
    EXPECT_EQ(parse_text(FakeTokenizer(), "\n\nHello\n").text, "\n\nHello\n");
    EXPECT_EQ(parse_text(FakeTokenizer(), "<think>a</think>\r\n\n  b\n\nc").text, "  b\n\nc");
}

TEST(AnswerParser, OtherControlTokensAreHiddenToolCallsAreShown) {
    using namespace ml::testing;
    const FakeTokenizer tokenizer;
    const Parsed parsed = parse(
        tokenizer, {TokenId{'a'}, kImStart, kThinkEnd, TokenId{'b'}, kToolCall, TokenId{'{'}});
    EXPECT_EQ(parsed.text, "ab<tool_call>{");
    EXPECT_EQ(parsed.progress, 6);
}

const std::string kCall = R"({"name": "add", "arguments": {"a": 1}})";

TEST(AnswerParser, CallsOfOfferedToolsAreNoText) {
    for (const bool by_token : {true, false}) {
        const FakeTokenizer tokenizer(by_token);
        const Parsed parsed =
            parse_text(tokenizer,
                       "<think>a <tool_call>" + kCall + "</tool_call></think>\nSo: <tool_call>\n" +
                           kCall + "\n</tool_call>\n<tool_call>" + kCall + "</tool_call>",
                       {.tools = {{.name = "add"}}});
        EXPECT_EQ(parsed.order, "ShEtcc");
        EXPECT_EQ(parsed.text, "So: ");
        EXPECT_EQ(parsed.calls, R"(add{"a": 1};add{"a": 1};)");
        EXPECT_EQ(parsed.thinking, "a <tool_call>" + kCall + "</tool_call>");
    }
}

TEST(AnswerParser, StopStringsDoNotLookIntoCalls) {
    const Parsed parsed = parse_text(FakeTokenizer(),
                                     "<tool_call>" + kCall + "</tool_call> a, b",
                                     {.stop = {"\"", ","}, .tools = {{.name = "add"}}});
    EXPECT_EQ(parsed.calls, R"(add{"a": 1};)");
    EXPECT_EQ(parsed.text, " a");
    EXPECT_TRUE(parsed.stopped);
}

TEST(AnswerParser, TheOneCallEndsTheAnswer) {
    const Parsed parsed =
        parse_text(FakeTokenizer(),
                   "<tool_call>" + kCall + "</tool_call><tool_call>" + kCall + "</tool_call>",
                   {.tools = {{.name = "add"}}, .one_call = true});
    EXPECT_EQ(parsed.calls, R"(add{"a": 1};)");
    EXPECT_TRUE(parsed.stopped);
}

TEST(AnswerParser, LogprobsOfCallsGoWithThem) {
    const Parsed parsed = parse_text(FakeTokenizer(),
                                     "a<tool_call>" + kCall + "</tool_call>b",
                                     {.logprobs = true, .tools = {{.name = "add"}}});
    EXPECT_EQ(parsed.logprob_bytes, (std::vector<std::string>{"a", "b"}));
}

TEST(AnswerParser, ThoughtsInTheMiddleEndACallThatIsNone) {
    const Parsed parsed = parse_text(
        FakeTokenizer(), "a<tool_call>{\"name<think>hm</think>b", {.tools = {{.name = "add"}}});
    EXPECT_EQ(parsed.text, "a<tool_call>{\"nameb");
    EXPECT_EQ(parsed.order, "tShEt");
}

TEST(AnswerParser, CharactersSplitOverTokensComeWhole) {
    const std::string text = "é日👍";  // 2, 3 and 4 bytes, one token per byte
    EXPECT_EQ(parse_text(FakeTokenizer(), text).text, text);
}

/// Tokens of one to four bytes each, cut anywhere: the FakeTokenizer's tokens are single bytes, so
/// a run of them is every cut at once; stops at each byte end the answer inside a character.
TEST(AnswerParser, WhateverIsCutThePiecesAreTextAndTheirSumTheWhole) {
    const FakeTokenizer tokenizer;
    const std::string whole = "a\u00e9\u6f22\U0001F600\u0301\U0001F468\u200D\U0001F469z";
    const std::vector<TokenId> ids = tokenizer.encode(whole);
    EXPECT_EQ(parse(tokenizer, ids).text, whole);  // note() checks each piece
    for (std::size_t end = 0; end <= ids.size(); ++end) {
        const Parsed cut =
            parse(tokenizer, {ids.begin(), ids.begin() + static_cast<long>(end)}, {}, true);
        EXPECT_EQ(cut.text, truncate_utf8(whole, end)) << end;
    }
}

TEST(AnswerParser, ACutInsideACharacterLeavesOutItsBytes) {
    const FakeTokenizer tokenizer;
    for (const std::string_view text : {"aé", "a日", "a👍"}) {
        for (std::size_t n = 2; n < text.size(); ++n) {
            const auto ids = tokenizer.encode(text.substr(0, n));
            EXPECT_EQ(parse(tokenizer, ids, {}, true).text, "a");
            EXPECT_EQ(parse(tokenizer, ids, {}, false).text.substr(0, 4), "a\uFFFD");
        }
    }
    EXPECT_EQ(parse(tokenizer, {TokenId{0xFF}, TokenId{'x'}}).text, "\uFFFDx");
}

TEST(AnswerParser, AStopStringSplitOverTokensEndsTheAnswer) {
    const Parsed parsed = parse_text(FakeTokenizer(), "one STOP two", {.stop = {"STOP"}});
    EXPECT_EQ(parsed.text, "one ");
    EXPECT_TRUE(parsed.stopped);
    EXPECT_EQ(parsed.progress, 8);
    const Parsed held = parse_text(FakeTokenizer(), "one STO", {.stop = {"STOP"}});
    EXPECT_EQ(held.text, "one STO");
    EXPECT_FALSE(held.stopped);
}

TEST(AnswerParser, StopStringsDoNotLookIntoThoughts) {
    const Parsed parsed =
        parse_text(FakeTokenizer(), "<think>a STOP b</think>c", {.stop = {"STOP"}});
    EXPECT_EQ(parsed.thinking, "a STOP b");
    EXPECT_EQ(parsed.text, "c");
}

TEST(AnswerParser, LogprobsBelongToTheTextOfTheirEvent) {
    const FakeTokenizer tokenizer;
    const Parsed all = parse_text(tokenizer, "<think>x</think>\né!", {.logprobs = true});
    EXPECT_EQ(all.logprob_bytes, (std::vector<std::string>{"\n", "\xC3", "\xA9", "!"}));
    const Parsed stopped = parse_text(tokenizer, "ab12", {.stop = {"12"}, .logprobs = true});
    EXPECT_EQ(stopped.logprob_bytes, (std::vector<std::string>{"a", "b"}))
        << "nothing of the stop string";
    EXPECT_TRUE(parse_text(tokenizer, "ab").logprob_bytes.empty());
}

}  // namespace
}  // namespace notso::services
