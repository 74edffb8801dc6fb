// Thoughts in forty answers, token by token: opened by the prompt or by the model, nested, never
// closed, cut inside a character, and ended from outside.
#include <gtest/gtest.h>

#include "base/utf8.hpp"
#include "ml/runtime/fake_model.hpp"
#include "services/backend/steering_guide.hpp"
#include "services/backend/answer_parser.hpp"
#include "services/prompt/thinking_flags.hpp"

namespace notso::services {
namespace {

using ml::TokenId;
using ml::testing::FakeTokenizer;

struct Stream {
    const char* says;  // think tags are tokens where the vocabulary has them
    const char* thinking;
    const char* text;
    bool open = false;  // the prompt ends inside <think>
    bool by_token = true;
    std::int64_t budget = -1;    // -1 = none
    std::int64_t asked_at = -1;  // "answer now" before this token
    int cut_bytes = 0;           // bytes at the end that never come, and the answer is cut
    ThinkingEndReason reason = ThinkingEndReason::kModel;
};

constexpr const char* kRounds =
    "Wait, that is not right yet. Wait, that is not right yet. Wait, that is not right yet. "
    "Wait, that is not right yet. Wait, that is not right yet. Wait, that is not right yet. ";

const Stream kStreams[] = {
    // The model opens and closes.
    {"<think>a</think>b", "a", "b"},
    {"<think>\na\n</think>\n\nb", "a\n", "b"},
    {"<think></think>b", "", "b"},
    {"<think>\n\n</think>\nb", "", "b"},
    {"b", "", "b"},
    {"", "", ""},
    {"hm <think>a</think> b", "a", "hm  b"},
    {"<think>a</think>b<think>c</think>d", "ac", "bd"},
    // The prompt has opened them.
    {"a</think>b", "a", "b", true},
    {"</think>b", "", "b", true},
    {"\n\n</think>\nb", "", "b", true},
    {"<think>a</think>b", "a", "b", true},
    {"a</think>b</think>c", "a", "bc", true},
    // Nested, never closed, never opened.
    {"<think>a<think>b</think>c", "ab", "c"},
    {"<think><think><think>a</think>b", "a", "b"},
    {"<think>a", "a", ""},
    {"a", "a", "", true},
    {"a</think>b", "", "ab"},
    {"<think>a</think>", "a", ""},
    // Cut inside a character.
    {"<think>aé", "a", "", false, true, -1, -1, 1},
    {"<think>a漢</think>b😀", "a漢", "b", false, true, -1, -1, 1},
    {"<think>a</think>b漢", "a", "b", false, true, -1, -1, 2},
    {"😀", "", "", true, true, -1, -1, 3},
    // As text, for vocabularies without the tokens.
    {"<think>a</think>b", "a", "b", false, false},
    {" \n<think>\na\n</think>\nb", "a\n", "b", false, false},
    {"a</think>b", "a", "b", true, false},
    {"<think>a</thin</think>b", "a</thin", "b", false, false},
    {"<think>a<think>b</think>c", "a<think>b", "c", false, false},
    {"b <think>a</think>", "", "b <think>a</think>", false, false},
    {"<thin", "", "<thin", false, false},
    {"<think>a</thi", "a</thi", "", false, false},
    {"<think>aé", "a", "", false, false, -1, -1, 1},
    // Ended from outside.
    {"<think>0123456789</think>b", "01234", "b", false, true, 5, -1, 0, ThinkingEndReason::kBudget},
    {"0123456789</think>b", "01234", "b", true, true, 5, -1, 0, ThinkingEndReason::kBudget},
    {"<think>0123456789</think>b",
     "01234",
     "b",
     false,
     false,
     5,
     -1,
     0,
     ThinkingEndReason::kBudget},
    {"<think>0123漢456</think>b", "0123漢", "b", false, true, 5, -1, 0, ThinkingEndReason::kBudget},
    {"<think>0123456789</think>b", "", "b", false, true, 0},
    {"0123</think>b", "", "b", true, true, 0},
    {"<think>0123456789</think>b", "012*", "b", false, true, -1, 4, 0, ThinkingEndReason::kAsked},
    {kRounds, "*", "", true, true, -1, -1, 0, ThinkingEndReason::kLoop},
};

struct Outcome {
    std::string thinking;
    std::string text;
    std::vector<ThinkingEndReason> ends;
    int started = 0;
};

/// An engine in small: the model goes on with what it had to say, minus the thought that was cut
/// short.
Outcome play(const Stream& stream) {
    const FakeTokenizer tokenizer(stream.by_token);
    const AnswerTokens tokens(tokenizer);
    std::vector<TokenId> script =
        tokenizer.encode(stream.says, {.special = ml::SpecialTokens::kParse});
    script.resize(script.size() - static_cast<std::size_t>(stream.cut_bytes));
    Outcome out;
    ChatEventHandler handler = [&](ChatEvent event) {
        if (std::holds_alternative<chat_event::ThinkingStarted>(event)) ++out.started;
        if (const auto* thought = std::get_if<chat_event::ThinkingText>(&event))
            out.thinking += thought->text;
        if (const auto* text = std::get_if<chat_event::Text>(&event)) out.text += text->text;
        if (const auto* end = std::get_if<chat_event::ThinkingEnded>(&event))
            out.ends.push_back(end->reason);
    };
    auto parser = std::make_shared<AnswerParser>(
        tokens, AnswerOptions{.thinking_open = stream.open}, handler);
    auto control = std::make_shared<AnswerControl>();
    SteeringOptions options{.thinking = true, .thinking_open = stream.open};
    if (stream.budget >= 0) options.thinking_budget = stream.budget;
    SteeringGuide guide(tokens, options, parser, control);
    const auto end = tokenizer.encode("</think>", {.special = ml::SpecialTokens::kParse});
    const auto give = [&](TokenId id) {
        guide.accept(id);
        parser->push({.id = id, .logprob = {}});
    };
    std::int64_t n = 0;
    for (auto at = script.begin(); at != script.end(); ++n) {
        if (n == stream.asked_at) control->answer_now = true;
        const ml::Allowed allowed = guide.next(500);
        if (allowed.kind != ml::Allowed::Kind::kForced) {
            give(*at++);
            continue;
        }
        const bool was_thinking = parser->thinking();
        give(allowed.forced);
        // The model sees that the thought is over, and goes on with what follows it.
        if (was_thinking && !parser->thinking()) {
            at = std::search(at, script.end(), end.begin(), end.end());
            if (at != script.end()) at += std::ssize(end);
        }
    }
    parser->finish(stream.cut_bytes > 0);
    return out;
}

TEST(Thinking, FortyStreams) {
    EXPECT_EQ(std::size(kStreams), 40U);
    for (const Stream& stream : kStreams) {
        const Outcome out = play(stream);
        SCOPED_TRACE(
            fmt::format("{} open={} by_token={}", stream.says, stream.open, stream.by_token));
        const std::string_view expected = stream.thinking;
        if (expected.ends_with('*')) {
            EXPECT_TRUE(out.thinking.starts_with(expected.substr(0, expected.size() - 1)))
                << out.thinking;
            EXPECT_TRUE(out.thinking.ends_with("I will answer now.\n")) << out.thinking;
        } else {
            EXPECT_EQ(out.thinking, expected);
        }
        EXPECT_EQ(out.text, stream.text);
        EXPECT_EQ(out.ends.size(), static_cast<std::size_t>(out.started))
            << "whatever was begun has ended";
        EXPECT_EQ(out.started > 0, !out.thinking.empty());
        for (const ThinkingEndReason reason : out.ends) EXPECT_EQ(reason, stream.reason);
    }
}

LoopDetector fed(std::string_view text) {
    LoopDetector loops;
    const FakeTokenizer tokenizer;
    for (const TokenId id : tokenizer.encode(text)) loops.push(id, tokenizer.token_bytes(id));
    return loops;
}

std::string repeated(std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
}

TEST(LoopDetector, SeesRepeatedTokensAndSentences) {
    EXPECT_TRUE(fed(repeated("no ", 40)).looping());
    EXPECT_TRUE(fed(repeated("a stretch of some fifty tokens, one for each byte. ", 4)).looping());
    std::string sentences;
    for (int i = 0; i < 6; ++i)
        sentences +=
            fmt::format("Let me try {} apples instead. But the total has to be the same! ", i * i);
    EXPECT_TRUE(fed(sentences).looping());
}

TEST(LoopDetector, OrdinaryThoughtsAreNone) {
    EXPECT_FALSE(fed(repeated("no ", 10)).looping());
    std::string counting;
    for (int i = 0; i < 2000; ++i)
        counting += fmt::format("{}. The square of {} is {}.\n", i, i, i * i);
    EXPECT_FALSE(fed(counting).looping());
    std::string waiting;
    for (int i = 0; i < 30; ++i) waiting += fmt::format("Wait. Hmm. Is {} prime? No.\n", i * 7919);
    EXPECT_FALSE(fed(waiting).looping());
    EXPECT_FALSE(fed("| 0 | 0 | 0 |\n| 0 | 0 | 0 |\n").looping());
}

}  // namespace
}  // namespace notso::services
