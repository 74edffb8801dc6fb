// Drafter and DraftLength: what is guessed, and how much of it pays.
#include "ml/runtime/draft.hpp"

#include <gtest/gtest.h>

#include <random>

#include "ml/runtime/pace.hpp"

namespace notso::ml {
namespace {

std::vector<TokenId> ids(std::initializer_list<std::int32_t> list) {
    std::vector<TokenId> out;
    for (const std::int32_t id : list) out.push_back(TokenId{id});
    return out;
}

Draft propose(const std::vector<TokenId>& text, std::int32_t most = 10) {
    Drafter drafter;
    drafter.update(text);
    return drafter.propose(text, most);
}

TEST(Drafter, GuessesWhatFollowedTheSameEnd) {
    const Draft draft = propose(ids({1, 2, 3, 4, 5, 9, 9, 2, 3, 4}));
    EXPECT_EQ(draft.tokens, ids({5, 9, 9, 2, 3, 4}));
    EXPECT_EQ(draft.n_matched, 3);
    EXPECT_EQ(propose(ids({1, 2, 3, 4, 5, 9, 9, 2, 3, 4}), 2).tokens, ids({5, 9}));
}

TEST(Drafter, NothingWithoutATokenThatWasThere) {
    EXPECT_TRUE(propose({}).tokens.empty());
    EXPECT_TRUE(propose(ids({1, 2, 3})).tokens.empty());
    EXPECT_EQ(propose(ids({1, 2, 3, 1})).tokens, ids({2, 3, 1}));
    EXPECT_TRUE(propose(ids({1, 2, 3, 1, 2, 3}), 0).tokens.empty());
}

TEST(Drafter, TheLongestMatchCountsAndOfEqualsTheLatest) {
    EXPECT_EQ(propose(ids({7, 1, 2, 3, 50, 8, 1, 2, 3, 60, 7, 1, 2, 3}), 1).tokens, ids({50}));
    EXPECT_EQ(propose(ids({7, 1, 2, 3, 50, 8, 1, 2, 3, 60, 6, 1, 2, 3}), 1).tokens, ids({60}));
    EXPECT_EQ(propose(ids({7, 1, 2, 3, 50, 8, 1, 2, 3, 60, 7, 1, 2, 3}), 1).n_matched, 4);
}

TEST(Drafter, GrowsWithTheText) {
    std::mt19937 rng(1);
    std::vector<TokenId> text;
    Drafter drafter;
    for (int i = 0; i < 500; ++i) {
        text.push_back(TokenId{static_cast<std::int32_t>(rng() % 4)});
        drafter.update(text);
        const Draft draft = drafter.propose(text, 8);
        EXPECT_EQ(draft.tokens, propose(text, 8).tokens) << i;
        if (draft.tokens.empty()) continue;
        // It stands in the text, behind the same tokens.
        std::vector<TokenId> wanted(text.end() - draft.n_matched, text.end());
        wanted.insert(wanted.end(), draft.tokens.begin(), draft.tokens.end());
        EXPECT_FALSE(std::ranges::search(text, wanted).empty()) << i;
    }
}

Draft sure(std::size_t n) { return {.tokens = std::vector<TokenId>(n), .n_matched = 20}; }

TEST(DraftLength, FollowsLuckAndTime) {
    const std::vector<double> cheap = {1, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.35};
    const std::vector<double> dear = {1, 2, 3, 4, 5, 6, 7, 8};
    DraftLength lucky;
    EXPECT_EQ(lucky.choose(sure(7), dear, {0}), 0);
    for (int i = 0; i < 20; ++i) lucky.learn(sure(7), 7, 7);
    EXPECT_EQ(lucky.choose(sure(7), cheap, {0}), 7);
    EXPECT_EQ(lucky.choose(sure(2), cheap, {0}), 2);
    EXPECT_EQ(lucky.choose(sure(7), dear, {0}), 0);
    DraftLength unlucky;
    for (int i = 0; i < 50; ++i) unlucky.learn(sure(7), 1, 0);
    EXPECT_EQ(unlucky.choose(sure(7), cheap, {0}), 0);
    for (int i = 0; i < 50; ++i) unlucky.learn(sure(7), 1, 1);
    EXPECT_GT(unlucky.choose(sure(7), cheap, {0}), 3) << "it can get better without being tried";
}

TEST(DraftLength, GuessesDoNotCostOthersMoreThanTheyGive) {
    DraftLength lucky;
    for (int i = 0; i < 50; ++i) lucky.learn(sure(7), 7, 7);
    const std::vector<double> seconds = {4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5};
    EXPECT_EQ(lucky.choose(sure(7), seconds, {0}), 7);
    EXPECT_EQ(lucky.choose(sure(7), seconds, {15}), 0);
}

TEST(DraftLength, OthersDoNotWaitLongerThanTheyMay) {
    DraftLength lucky;
    for (int i = 0; i < 50; ++i) lucky.learn(sure(7), 7, 7);
    const std::vector<double> seconds = {4, 4.1, 4.2, 4.3, 4.4, 4.5, 4.6, 4.7};
    EXPECT_EQ(lucky.choose(sure(7), seconds, {.n_others = 3}), 7) << "all together it would pay";
    EXPECT_EQ(lucky.choose(sure(7), seconds, {.n_others = 3, .most_seconds = 4.3}), 3);
    EXPECT_EQ(lucky.choose(sure(7), seconds, {.n_others = 3, .most_seconds = 4}), 0);
}

TEST(Pace, GuessesTheTimeOfWhatWasNotMeasured) {
    Pace pace(30, 128);
    EXPECT_EQ(pace.decode_seconds(1, 1).size(), 2U);
    pace.note_decode(1, std::chrono::duration<double>(0.01));
    pace.note_decode(4, std::chrono::duration<double>(0.03));
    const std::vector<double> seconds = pace.decode_seconds(1, 5);
    EXPECT_DOUBLE_EQ(seconds[0], 0.01);
    EXPECT_NEAR(seconds[1], 0.01 + 0.02 / 3, 1e-9) << "between two that are known";
    EXPECT_DOUBLE_EQ(seconds[3], 0.03);
    EXPECT_GT(seconds[5], 0.03);
    EXPECT_DOUBLE_EQ(pace.decode_seconds(4, 0).front(), 0.03);
}

TEST(Pace, PromptsAreReadInPassesOfASecond) {
    Pace pace(36, 128);
    EXPECT_EQ(pace.prefill_tokens(Precision::kExact), 16);
    pace.note_prefill(Precision::kExact, 16, std::chrono::duration<double>(0.2));
    EXPECT_EQ(pace.prefill_tokens(Precision::kExact), 80);
    EXPECT_EQ(pace.prefill_tokens(Precision::kFast), 16) << "known on its own";
    pace.note_prefill(Precision::kExact, 80, std::chrono::duration<double>(0.1));
    EXPECT_EQ(pace.prefill_tokens(Precision::kExact), 128);
    pace.note_prefill(Precision::kExact, 3, std::chrono::duration<double>(10));
    EXPECT_EQ(pace.prefill_tokens(Precision::kExact), 128) << "a short rest says nothing";
    pace.note_prefill(Precision::kExact, 128, std::chrono::duration<double>(1000));
    EXPECT_EQ(pace.prefill_tokens(Precision::kExact), 8);
}

TEST(Pace, AnswersGetTheirTurnByTheirOwnLength) {
    Pace pace(36, 128);
    EXPECT_NEAR(pace.slice().count(), 0.02, 1e-9);
    pace.note_decode(1, std::chrono::duration<double>(0.03));
    EXPECT_NEAR(pace.slice().count(), 0.06, 1e-9);
    pace.note_decode(1, std::chrono::duration<double>(1));
    EXPECT_NEAR(pace.slice().count(), 0.08, 1e-9);
}

}  // namespace
}  // namespace notso::ml
