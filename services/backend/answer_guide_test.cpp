// Grammars of answers: thoughts stay free and end in time, and few grammars are kept.
#include "services/backend/answer_guide.hpp"

#include <gtest/gtest.h>

#include "ml/runtime/fake_model.hpp"
#include "services/backend/answer_grammars.hpp"

namespace notso::services {
namespace {

using namespace ml::testing;
using Kind = ml::Allowed::Kind;

class AnswerGuides : public ::testing::Test {
  protected:
    AnswerGuide make(ThoughtState state) {
        return AnswerGuide(
            grammars_.guide(grammar_form("root ::= \"ab\"").value()).value(), tokens_, state);
    }
    static bool allows(const ml::Allowed& allowed, ml::TokenId id) {
        return allowed.kind == Kind::kSet && ml::in_mask(allowed.mask, id);
    }

    FakeTokenizer tokenizer_;
    AnswerTokens tokens_{tokenizer_};
    AnswerGrammars grammars_{tokenizer_};
};

TEST_F(AnswerGuides, WithoutAThoughtTheGrammarBeginsAtOnce) {
    AnswerGuide guide = make(thought_state(tokens_, false, false));
    EXPECT_TRUE(allows(guide.next(10), ml::TokenId{'a'}));
    EXPECT_FALSE(allows(guide.next(10), ml::TokenId{'b'}));
    EXPECT_FALSE(allows(guide.next(10), kThink));
    guide.accept(ml::TokenId{'a'});
    guide.accept(ml::TokenId{'b'});
    EXPECT_EQ(guide.next(10).kind, Kind::kEnd);
}

TEST_F(AnswerGuides, ThoughtsAreFreeButDoNotEndTheTurn) {
    for (const bool opened : {true, false}) {
        AnswerGuide guide = make(thought_state(tokens_, opened, true));
        if (!opened) {
            const ml::Allowed first = guide.next(100);
            EXPECT_EQ(first.kind, Kind::kForced);
            EXPECT_EQ(first.forced, kThink);
            guide.accept(kThink);
        }
        EXPECT_TRUE(allows(guide.next(100), ml::TokenId{'x'}));
        EXPECT_TRUE(allows(guide.next(100), kThinkEnd));
        EXPECT_FALSE(allows(guide.next(100), kImEnd));
        guide.accept(ml::TokenId{'x'});
        guide.accept(kThinkEnd);
        EXPECT_FALSE(allows(guide.next(100), ml::TokenId{'x'}));
        EXPECT_TRUE(allows(guide.next(100), ml::TokenId{'a'}));
    }
}

TEST_F(AnswerGuides, AThoughtEndsWhileThereIsRoomForTheAnswer) {
    AnswerGuide guide = make(ThoughtState::kOpen);
    EXPECT_EQ(guide.next(20).kind, Kind::kSet);
    EXPECT_EQ(guide.next(19).kind, Kind::kForced) << "2 tokens, 16 to spare, and </think>";
    EXPECT_EQ(guide.next(1).forced, kThinkEnd);
}

TEST(AnswerGuide, TagsMayBeText) {
    const FakeTokenizer tokenizer(false);
    const AnswerTokens tokens(tokenizer);
    AnswerGrammars grammars(tokenizer);
    EXPECT_EQ(thought_state(tokens, false, true), ThoughtState::kNone);
    AnswerGuide guide(grammars.guide(grammar_form("root ::= \"ab\"").value()).value(),
                      tokens,
                      ThoughtState::kOpen);
    for (const char c : std::string("so </thin </think>")) {
        EXPECT_TRUE(ml::in_mask(guide.next(100).mask, ml::TokenId{'z'}));
        guide.accept(ml::TokenId{c});
    }
    EXPECT_FALSE(ml::in_mask(guide.next(100).mask, ml::TokenId{'z'}));
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
