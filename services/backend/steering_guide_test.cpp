// Answers that must have a form: thoughts before them stay free and end in time, and few grammars
// are kept.
#include "services/backend/steering_guide.hpp"

#include <gtest/gtest.h>

#include "ml/runtime/fake_model.hpp"
#include "services/backend/answer_grammars.hpp"

namespace notso::services {
namespace {

using namespace ml::testing;
using Kind = ml::Allowed::Kind;

/// A guide and what it looks at; the answer has to be "ab".
class Guided {
  public:
    explicit Guided(bool thinking_open, bool wanted, bool with_tokens = true)
        : tokenizer_(with_tokens),
          parser_(std::make_shared<AnswerParser>(
              tokens_, AnswerOptions{.thinking_open = thinking_open}, handler_)),
          guide_(tokens_,
                 {.thinking = wanted,
                  .thinking_open = thinking_open,
                  .answer = grammars_.guide(grammar_form("root ::= \"ab\"").value()).value()},
                 parser_,
                 std::make_shared<AnswerControl>()) {}

    ml::Allowed next(std::int32_t n_left) { return guide_.next(n_left); }
    bool allows(ml::TokenId id) {
        const ml::Allowed allowed = guide_.next(100);
        return allowed.kind == Kind::kSet && ml::in_mask(allowed.mask, id);
    }
    void accept(ml::TokenId id) {
        guide_.accept(id);
        parser_->push({.id = id, .logprob = {}});
    }

  private:
    FakeTokenizer tokenizer_;
    AnswerTokens tokens_{tokenizer_};
    AnswerGrammars grammars_{tokenizer_};
    ChatEventHandler handler_ = [](ChatEvent) {};
    std::shared_ptr<AnswerParser> parser_;
    SteeringGuide guide_;
};

TEST(SteeringGuide, WithoutAThoughtTheFormBeginsAtOnce) {
    Guided guided(false, false);
    EXPECT_TRUE(guided.allows(ml::TokenId{'a'}));
    EXPECT_FALSE(guided.allows(ml::TokenId{'b'}));
    EXPECT_FALSE(guided.allows(kThink));
    guided.accept(ml::TokenId{'a'});
    guided.accept(ml::TokenId{'b'});
    EXPECT_EQ(guided.next(10).kind, Kind::kEnd);
}

TEST(SteeringGuide, ThoughtsAreFreeButDoNotEndTheTurn) {
    for (const bool opened : {true, false}) {
        Guided guided(opened, true);
        if (!opened) {
            const ml::Allowed first = guided.next(100);
            EXPECT_EQ(first.kind, Kind::kForced);
            EXPECT_EQ(first.forced, kThink);
            guided.accept(kThink);
        }
        EXPECT_TRUE(guided.allows(ml::TokenId{'x'}));
        EXPECT_TRUE(guided.allows(kThinkEnd));
        EXPECT_FALSE(guided.allows(kImEnd));
        guided.accept(ml::TokenId{'x'});
        guided.accept(kThinkEnd);
        EXPECT_FALSE(guided.allows(ml::TokenId{'x'}));
        EXPECT_TRUE(guided.allows(ml::TokenId{'a'}));
    }
}

TEST(SteeringGuide, AThoughtEndsWhileThereIsRoomForTheAnswer) {
    Guided guided(true, true);
    guided.accept(ml::TokenId{'x'});
    EXPECT_EQ(guided.next(20).kind, Kind::kSet);
    const ml::Allowed late = guided.next(19);
    EXPECT_EQ(late.kind, Kind::kForced) << "2 tokens, 16 to spare, and </think>";
    EXPECT_EQ(late.forced, kThinkEnd);
}

TEST(SteeringGuide, TagsMayBeText) {
    Guided guided(true, true, false);
    for (const char c : std::string("so </thin </think>")) {
        EXPECT_TRUE(guided.allows(ml::TokenId{'z'}));
        guided.accept(ml::TokenId{c});
    }
    EXPECT_FALSE(guided.allows(ml::TokenId{'z'}));
    EXPECT_TRUE(Guided(false, true, false).allows(ml::TokenId{'a'})) << "nothing opens a thought";
}

TEST(AnswerGrammars, KeepsFewOfMany) {
    const FakeTokenizer tokenizer;
    AnswerGrammars grammars(tokenizer);
    EXPECT_EQ(grammars.guide({}).value(), nullptr);
    for (int i = 0; i < 3000; ++i) {
        const boost::json::value schema = {{"const", i}};
        auto guide = grammars.guide(json_schema_form(schema).value()).value();
        const ml::Allowed first = guide->next(50);
        ASSERT_TRUE(ml::in_mask(first.mask, ml::TokenId{std::to_string(i)[0]}));
    }
    EXPECT_LE(grammars.size(), 16U);
}

TEST(AnswerGrammars, SaysWhatIsWrong) {
    const FakeTokenizer tokenizer;
    AnswerGrammars grammars(tokenizer);
    EXPECT_EQ(grammars.guide({.gbnf = "root ::= x"}).error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(grammar_form(""));
    EXPECT_FALSE(grammar_form("root ::= root"));
}

}  // namespace
}  // namespace notso::services
