// Windows and scored positions, against logits that the numpy oracle computed.
#include "ml/runtime/perplexity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ml/model/golden_models.hpp"
#include "ml/runtime/fake_model.hpp"

namespace notso::ml {
namespace {

/// −ln p of token `position` + 1 by the oracle's logits.
double expected_nll(const std::vector<float>& logits, std::size_t position, TokenId target) {
    const std::size_t n = test::kGoldenVocab;
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i)
        sum += std::exp(static_cast<double>(logits[position * n + i]));
    const auto at = static_cast<std::size_t>(to_int(target));
    return std::log(sum) - static_cast<double>(logits[position * n + at]);
}

std::shared_ptr<const Model> tiny() {
    auto model = Model::load(test::golden_model("tiny_smollm3"));
    EXPECT_TRUE(model) << model.error().detail;
    return *model;
}

TEST(Perplexity, ScoresWhatTheSecondHalfOfAWindowPredicts) {
    const auto model = tiny();
    const auto tokens = test::golden_tokens();
    const auto logits = test::golden_logits("tiny_smollm3");
    double expected = 0;
    for (std::size_t position = 12; position < 23; ++position)
        expected += expected_nll(logits, position, tokens[position + 1]);
    const auto score =
        score_windows(*model, tokens, {.window = test::kGoldenTokens, .kv = KvType::kF32});
    ASSERT_TRUE(score) << score.error().detail;
    EXPECT_EQ(score->n_scored, 11);
    EXPECT_NEAR(score->nll, expected, 1e-3);
    EXPECT_NEAR(score->perplexity(), std::exp(expected / 11), 1e-3 * std::exp(expected / 11));
}

TEST(Perplexity, EveryWindowStartsFromAnEmptyCache) {
    const auto model = tiny();
    const auto tokens = test::golden_tokens();
    std::vector<std::int32_t> seen;
    const auto all = score_windows(
        *model, tokens, {.window = 10, .on_window = [&](auto done, auto total, const auto&) {
                             seen.push_back(done * 100 + total);
                         }});
    const auto first = score_windows(*model, std::span(tokens).first(10), {.window = 10});
    const auto second = score_windows(*model, std::span(tokens).subspan(10, 10), {.window = 10});
    ASSERT_TRUE(all && first && second);
    EXPECT_EQ(all->n_scored, 8);  // two windows; four tokens are left over
    EXPECT_DOUBLE_EQ(all->nll, first->nll + second->nll);
    EXPECT_THAT(seen, ::testing::ElementsAre(102, 202));
}

TEST(Perplexity, BosTakesTheFirstPlaceOfEachWindow) {
    std::vector<TokenId> heads;
    const auto watched =
        std::make_shared<testing::FakeModel>([&](std::span<const TokenId> tokens, std::size_t) {
            if (tokens.size() == 7) heads.push_back(tokens.front());
            return testing::kImEnd;
        });
    const std::vector<TokenId> tokens(16, TokenId{7});
    ASSERT_TRUE(score_windows(*watched, tokens, {.window = 8}));
    watched->mutable_tokenizer().adds_bos_value = true;
    ASSERT_TRUE(score_windows(*watched, tokens, {.window = 8}));
    EXPECT_THAT(
        heads,
        ::testing::ElementsAre(TokenId{7}, TokenId{7}, testing::kImStart, testing::kImStart));
}

TEST(Perplexity, WindowsThatCannotBeAreRefusedWithTheNumbers) {
    const auto model = tiny();
    const auto tokens = test::golden_tokens();
    for (const std::int32_t window : {-1, 0, 3, 25, 513, 1 << 30}) {
        const auto score = score_windows(*model, tokens, {.window = window});
        ASSERT_FALSE(score) << window;
        EXPECT_THAT(score.error().detail, ::testing::HasSubstr(std::to_string(window)));
    }
    EXPECT_FALSE(score_text(*model, std::span(tokens).first(1), 0));
    EXPECT_EQ(score_text(*model, tokens, 0)->n_scored, 23);
}

}  // namespace
}  // namespace notso::ml
