// What a batch promises: a token gets the same bits in any company. Logits and caches of sequences
// that are read together, against each of them alone, on a golden model of every architecture.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <optional>

#include "ml/model/chunk.hpp"
#include "ml/model/golden_models.hpp"
#include "ml/runtime/kv_cache.hpp"

namespace notso::ml {
namespace {

using test::golden_model;
using test::kGoldenVocab;

constexpr auto kExact = Precision::kExact;
constexpr auto kFast = Precision::kFast;
constexpr std::int32_t kCapacity = 400;

/// What one sequence brings to a batch.
struct Share {
    std::int32_t held;  ///< Tokens that its cache holds before.
    std::int32_t n;     ///< Tokens of the batch,
    std::int32_t rows;  ///< and of how many logits are wanted.
    Precision precision = kExact;
    std::optional<KvType> type = {};  ///< Another than the case's.
};

/// Token `i` of sequence number `sequence`.
TokenId token_of(std::int32_t sequence, std::int32_t i) {
    return TokenId{(i * 101 + sequence * 37 + i * sequence) % kGoldenVocab};
}

/// A sequence with a history, and what its next tokens get.
struct Reading {
    std::unique_ptr<KvCache> cache;
    std::vector<TokenId> tokens;
    std::vector<float> logits;
    Precision precision;

    Segment segment() { return {tokens, *cache, logits, precision}; }
};

class Batches : public ::testing::Test {
  protected:
    static std::shared_ptr<const Model> load_model(std::string_view name, std::int32_t n_threads) {
        auto model = Model::load(golden_model(name), {.n_threads = n_threads});
        EXPECT_TRUE(model.has_value()) << model.error().detail;
        return model.value_or(nullptr);
    }

    static Reading prepare(const Model& model,
                           KvType type,
                           std::int32_t number,
                           const Share& share) {
        Reading run{.cache = *KvCache::create(model.config(), kCapacity, share.type.value_or(type)),
                    .tokens = {},
                    .logits = std::vector<float>(extent(share.rows, kGoldenVocab), NAN),
                    .precision = share.precision};
        std::vector<TokenId> history;
        for (std::int32_t i = 0; i < share.held; ++i) history.push_back(token_of(number, i));
        for (std::int32_t i = 0; i < share.n; ++i)
            run.tokens.push_back(token_of(number, share.held + i));
        EXPECT_TRUE(model.forward(history, *run.cache, {}));
        return run;
    }

    static std::vector<Reading> prepare(const Model& model,
                                        KvType type,
                                        const std::vector<Share>& shares) {
        std::vector<Reading> runs;
        for (const Share& share : shares)
            runs.push_back(prepare(model, type, static_cast<std::int32_t>(runs.size()), share));
        return runs;
    }

    static Result<> read_together(const Model& model, std::vector<Reading>& runs) {
        std::vector<Segment> segments;
        for (Reading& run : runs) segments.push_back(run.segment());
        return model.forward(segments);
    }
};

::testing::AssertionResult same_logits(const Reading& together, const Reading& alone) {
    for (std::size_t i = 0; i < alone.logits.size(); ++i) {
        if (std::memcmp(&together.logits[i], &alone.logits[i], sizeof(float)) != 0 ||
            std::isnan(alone.logits[i]))
            return ::testing::AssertionFailure() << "row " << i / kGoldenVocab << ": "
                                                 << together.logits[i] << " / " << alone.logits[i];
    }
    return ::testing::AssertionSuccess();
}

::testing::AssertionResult same_caches(const Model& model,
                                       const Reading& together,
                                       const Reading& alone) {
    if (together.cache->size() != alone.cache->size())
        return ::testing::AssertionFailure()
               << together.cache->size() << " / " << alone.cache->size() << " tokens";
    const ModelConfig& config = model.config();
    const std::size_t bytes = kv_row_bytes(alone.cache->type(), config.head_dim);
    for (std::int32_t layer = 0; layer < config.n_layers; ++layer) {
        for (std::int32_t head = 0; head < config.n_kv_heads; ++head) {
            for (std::int32_t pos = 0; pos < alone.cache->size(); ++pos) {
                const auto key_in = [&](KvCache& cache) {
                    std::vector<std::byte> row(bytes);
                    get_key(cache.type(),
                            {cache.keys(layer, head, pos),
                             pos % kPageTokens,
                             0,
                             config.head_dim / kv_traits(cache.type()).elements},
                            row.data());
                    return row;
                };
                if (key_in(*together.cache) != key_in(*alone.cache) ||
                    std::memcmp(together.cache->value(layer, head, pos),
                                alone.cache->value(layer, head, pos),
                                bytes) != 0)
                    return ::testing::AssertionFailure()
                           << "layer " << layer << ", head " << head << ", token " << pos;
            }
        }
    }
    return ::testing::AssertionSuccess();
}

struct BatchCase {
    const char* model;
    KvType type;
};

class BatchOf : public Batches, public ::testing::WithParamInterface<BatchCase> {
  protected:
    void SetUp() override {
        for (const std::int32_t n_threads : {1, 2})
            models_.push_back(load_model(GetParam().model, n_threads));
        for (const auto& model : models_) ASSERT_TRUE(model);
    }

    /// Each share alone by one thread, then all of them together by the threads of each model.
    void expect_same(const std::vector<Share>& shares) {
        std::vector<Reading> alone = prepare(*models_[0], GetParam().type, shares);
        for (Reading& run : alone) {
            const auto done =
                models_[0]->forward(run.tokens, *run.cache, run.logits, run.precision);
            ASSERT_TRUE(done) << done.error().detail;
        }
        for (const auto& model : models_) {
            std::vector<Reading> together = prepare(*model, GetParam().type, shares);
            const auto done = read_together(*model, together);
            ASSERT_TRUE(done) << done.error().detail;
            for (std::size_t i = 0; i < shares.size(); ++i) {
                EXPECT_TRUE(same_logits(together[i], alone[i])) << i << " of " << shares.size();
                EXPECT_TRUE(same_caches(*model, together[i], alone[i]))
                    << i << " of " << shares.size();
            }
        }
    }

    std::vector<std::shared_ptr<const Model>> models_;
};

TEST_P(BatchOf, DecodesAtDifferentPositions) {
    for (std::int32_t n = 2; n <= 17; ++n) {
        std::vector<Share> shares;
        for (std::int32_t i = 0; i < n; ++i) shares.push_back({(i * 29 + n) % 71, 1, 1});
        expect_same(shares);
    }
}

TEST_P(BatchOf, PromptsBesideDecodes) {
    expect_same({{10, 1, 1}, {0, 40, 1}, {33, 1, 1}});
    expect_same({{0, 40, 0}, {64, 1, 1}, {63, 1, 0}, {0, 7, 7}, {0, 1, 1}, {5, 0, 0}});
    expect_same({{70, 9, 3}, {0, 100, 0}, {2, 2, 2}});
}

TEST_P(BatchOf, ExactBesideFast) {
    models_.push_back(load_model(GetParam().model, 5));  // groups of query heads are cut for two
    expect_same({{0, 40, 40, kFast}, {7, 1, 1}, {3, 20, 20, kFast}, {9, 5, 5}});
    expect_same({{50, 1, 1}, {0, 1, 1, kFast}});
    expect_same({{4, 3, 3, kFast}, {0, 30, 30}, {8, 25, 2, kFast}, {0, 2, 1}});
}

TEST_P(BatchOf, MoreTokensThanAChunk) {
    expect_same({{30, 1, 1}, {5, 300, 180}, {12, 1, 1}, {0, 1, 1}});
    expect_same({{0, 100, 100, kFast}, {0, 90, 90}, {20, 1, 1}, {0, 70, 0, kFast}, {1, 1, 1}});
    expect_same(std::vector<Share>(150, {3, 1, 1}));
}

TEST_P(BatchOf, CachesOfSeveralTypes) {
    std::vector<KvType> types = {KvType::kF32, KvType::kF16};
    if (models_[0]->config().head_dim % 32 == 0) types.push_back(KvType::kQ8_0);
    std::vector<Share> shares;
    for (const std::int32_t held : {3, 66, 12}) {
        for (const KvType type : types)
            shares.push_back({held, held == 12 ? 9 : 1, 1, kExact, type});
    }
    expect_same(shares);
}

std::vector<BatchCase> batch_cases() {
    std::vector<BatchCase> cases;
    for (const char* model : test::kGoldenModels) {
        for (const KvType type : {KvType::kF16, KvType::kF32}) cases.push_back({model, type});
    }
    // The two whose heads are whole blocks.
    for (const char* model : {"tiny_llama", "tiny_qwen3"}) cases.push_back({model, KvType::kQ8_0});
    return cases;
}

INSTANTIATE_TEST_SUITE_P(All, BatchOf, ::testing::ValuesIn(batch_cases()), [](const auto& test) {
    return fmt::format("{}_{}", test.param.model, kv_traits(test.param.type).name);
});

TEST_F(Batches, StepAfterStepEqualsEachAlone) {
    const auto model = load_model("tiny_qwen3", 2);
    ASSERT_TRUE(model);
    std::vector<Share> shares;
    for (const std::int32_t held : {0, 60, 8, 127, 31}) shares.push_back({held, 10, 10});
    std::vector<Reading> alone = prepare(*model, KvType::kF16, shares);
    std::vector<Reading> together = prepare(*model, KvType::kF16, shares);
    for (Reading& run : alone) ASSERT_TRUE(model->forward(run.tokens, *run.cache, run.logits));
    for (std::size_t step = 0; step < 10; ++step) {
        std::vector<Segment> segments;
        for (Reading& run : together)
            segments.push_back({std::span(run.tokens).subspan(step, 1),
                                *run.cache,
                                std::span(run.logits).subspan(step * kGoldenVocab, kGoldenVocab)});
        ASSERT_TRUE(model->forward(segments));
    }
    for (std::size_t i = 0; i < shares.size(); ++i) {
        EXPECT_TRUE(same_logits(together[i], alone[i])) << i;
        EXPECT_TRUE(same_caches(*model, together[i], alone[i])) << i;
    }
}

TEST_F(Batches, FastTokensAreReallyFast) {  // else exact beside fast would prove nothing
    const auto model = load_model("tiny_llama", 1);
    ASSERT_TRUE(model);
    std::vector<Reading> exact = prepare(*model, KvType::kF16, {{7, 20, 20}, {7, 1, 1}});
    std::vector<Reading> mixed = prepare(*model, KvType::kF16, {{7, 20, 20, kFast}, {7, 1, 1}});
    ASSERT_TRUE(read_together(*model, exact));
    ASSERT_TRUE(read_together(*model, mixed));
    EXPECT_FALSE(same_logits(mixed[0], exact[0]));
    EXPECT_TRUE(same_logits(mixed[1], exact[1]));
}

/// The first layer's input is the same in both precisions; this model's values are a packed matrix.
TEST_F(Batches, FastTokensGetExactValues) {
    const auto model = load_model("tiny_llama", 1);
    ASSERT_NE(model, nullptr);
    Reading exact = prepare(*model, KvType::kF32, 0, {.held = 0, .n = 20, .rows = 0});
    Reading fast =
        prepare(*model, KvType::kF32, 0, {.held = 0, .n = 20, .rows = 0, .precision = kFast});
    for (Reading* run : {&exact, &fast}) {
        const Segment segment = run->segment();
        ASSERT_TRUE(model->forward(std::span(&segment, 1)).has_value());
    }
    const std::size_t bytes = 20 * kv_row_bytes(KvType::kF32, model->config().head_dim);
    for (std::int32_t head = 0; head < model->config().n_kv_heads; ++head) {
        // One page holds them all: their rows are neighbours.
        EXPECT_EQ(std::memcmp(exact.cache->value(0, head, 0), fast.cache->value(0, head, 0), bytes),
                  0)
            << head;
    }
}

TEST_F(Batches, AnErrorLeavesEveryCacheAndAllLogitsAlone) {
    const auto model = load_model("tiny_llama", 2);
    ASSERT_TRUE(model);
    std::vector<Reading> runs = prepare(*model, KvType::kF16, {{4, 3, 1}, {9, 2, 2}, {0, 5, 1}});
    const std::vector<TokenId> bad = {TokenId{1}, TokenId{kGoldenVocab}};
    const std::vector<TokenId> long_prompt(kCapacity - 9 + 1, TokenId{1});
    std::vector<float> odd(kGoldenVocab + 1);
    std::vector<float> many(extent(3, kGoldenVocab));
    const auto expect_refusal = [&](const Segment& wrong, ErrorCode code) {
        const Segment sound[] = {runs[0].segment(), runs[2].segment()};
        const Segment first[] = {wrong, sound[0], sound[1]};
        const Segment last[] = {sound[0], sound[1], wrong};
        for (const std::span<const Segment> segments : {std::span(first), std::span(last)}) {
            const auto refused = model->forward(segments);
            ASSERT_FALSE(refused);
            EXPECT_EQ(refused.error().code, code);
        }
    };
    KvCache& cache = *runs[1].cache;
    expect_refusal({bad, cache}, ErrorCode::kInvalidArgument);
    expect_refusal({long_prompt, cache}, ErrorCode::kContextLength);
    expect_refusal({runs[1].tokens, cache, odd}, ErrorCode::kInvalidArgument);
    expect_refusal({runs[1].tokens, cache, many}, ErrorCode::kInvalidArgument);
    expect_refusal({runs[1].tokens, *runs[2].cache}, ErrorCode::kInvalidArgument);
    expect_refusal({{}, *runs[0].cache}, ErrorCode::kInvalidArgument);
    EXPECT_EQ(runs[0].cache->size(), 4);
    EXPECT_EQ(runs[1].cache->size(), 9);
    EXPECT_EQ(runs[2].cache->size(), 0);
    for (const Reading& run : runs) EXPECT_TRUE(std::isnan(run.logits.front()));
    EXPECT_TRUE(model->forward(std::span<const Segment>())) << "nothing to do is no error";
    EXPECT_TRUE(read_together(*model, runs));
}

TEST_F(Batches, APassBetweenLayersEqualsEachAlone) {
    const auto model = load_model("tiny_llama", 2);
    ASSERT_TRUE(model);
    const std::vector<Share> shares = {{0, 300, 2, kFast}, {7, 1, 1}, {66, 3, 3}};
    std::vector<Reading> alone = prepare(*model, KvType::kF16, shares);
    std::vector<Reading> runs = prepare(*model, KvType::kF16, shares);
    for (Reading& run : alone)
        ASSERT_TRUE(model->forward(run.tokens, *run.cache, run.logits, run.precision));
    const Segment prompt[] = {runs[0].segment()};
    std::size_t n_layers = 0;
    const auto done = model->forward(prompt, [&] {
        ++n_layers;
        if (n_layers == 1 || n_layers == 3) {
            const Segment other[] = {runs[n_layers == 1 ? 1 : 2].segment()};
            EXPECT_TRUE(model->forward(other));
        }
        return true;
    });
    ASSERT_TRUE(done) << done.error().detail;
    EXPECT_EQ(n_layers, 2 * extent(model->config().n_layers)) << "300 tokens are two chunks";
    for (std::size_t i = 0; i < shares.size(); ++i) {
        EXPECT_TRUE(same_logits(runs[i], alone[i])) << i;
        EXPECT_TRUE(same_caches(*model, runs[i], alone[i])) << i;
    }
}

TEST_F(Batches, APassThatIsEndedLeavesTheCaches) {
    const auto model = load_model("tiny_llama", 2);
    ASSERT_TRUE(model);
    for (const std::int32_t last_layer : {1, 2, 3, 4}) {
        std::vector<Reading> runs = prepare(*model, KvType::kF16, {{4, 300, 1}, {9, 2, 2}});
        std::vector<Segment> segments;
        for (Reading& run : runs) segments.push_back(run.segment());
        std::int32_t layer = 0;
        const auto ended = model->forward(segments, [&] { return ++layer < last_layer; });
        ASSERT_EQ(layer, last_layer);
        ASSERT_FALSE(ended);
        EXPECT_EQ(ended.error().code, ErrorCode::kCancelled);
        EXPECT_EQ(runs[0].cache->size(), 4);
        EXPECT_EQ(runs[1].cache->size(), 9);
        std::vector<Reading> alone = prepare(*model, KvType::kF16, {{4, 300, 1}, {9, 2, 2}});
        ASSERT_TRUE(read_together(*model, runs)) << "and can be done again";
        ASSERT_TRUE(read_together(*model, alone));
        EXPECT_TRUE(same_logits(runs[0], alone[0]));
    }
}

}  // namespace
}  // namespace notso::ml
