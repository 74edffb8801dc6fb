// What `exact` promises: the logits of a token have the same bits however its history was read.
// Checked on a golden model of every architecture, with every type of cache.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "ml/model/golden_models.hpp"
#include "ml/model/model.hpp"
#include "ml/runtime/engine_harness.hpp"
#include "ml/runtime/kv_cache.hpp"

namespace notso::ml {
namespace {

using test::golden_model;
using test::kGoldenVocab;
using testing::greedy;
using testing::make;
using testing::submit;
using testing::Submitted;

using Floats = std::vector<float>;

constexpr std::int32_t kTokens =
    270;  // more than two tiles of attention and one chunk of the model

std::vector<TokenId> some_tokens() {
    std::vector<TokenId> tokens;
    for (std::int32_t i = 0; i < kTokens; ++i) tokens.push_back(TokenId{i * 101 % kGoldenVocab});
    return tokens;
}

std::shared_ptr<const Model> load(std::string_view name, LoadOptions options = {}) {
    auto model = Model::load(golden_model(name), options);
    EXPECT_TRUE(model.has_value()) << model.error().detail;
    return model.value_or(nullptr);
}

std::unique_ptr<KvCache> make_cache(const Model& model, KvType type, std::int32_t n = kTokens) {
    return *KvCache::create(model.config(), n, type);
}

/// Appends tokens [first, last) to the cache in pieces of at most `step`; the logits of all of
/// them.
Floats read(const Model& model,
            KvCache& cache,
            std::int32_t last,
            std::int32_t step,
            Precision precision = Precision::kExact) {
    const std::vector<TokenId> tokens = some_tokens();
    Floats all;
    while (cache.size() < last) {
        const auto first = static_cast<std::size_t>(cache.size());
        const auto n = static_cast<std::size_t>(std::min(step, last - cache.size()));
        Floats rows(n * kGoldenVocab, NAN);
        const auto done =
            model.forward(std::span(tokens).subspan(first, n), cache, rows, precision);
        EXPECT_TRUE(done) << done.error().detail;
        if (!done) break;
        all.insert(all.end(), rows.begin(), rows.end());
    }
    return all;
}

/// The last n_tokens rows.
Floats tail(const Floats& rows, std::int32_t n_tokens) {
    return {rows.end() - std::ptrdiff_t{n_tokens} * kGoldenVocab, rows.end()};
}

::testing::AssertionResult same_bits(const Floats& a, const Floats& b) {
    if (a.size() != b.size()) return ::testing::AssertionFailure() << a.size() << " / " << b.size();
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0)
            return ::testing::AssertionFailure()
                   << "token " << i / kGoldenVocab << ": " << a[i] << " / " << b[i];
    }
    return ::testing::AssertionSuccess();
}

struct Case {
    const char* model;
    KvType type;
};

class Determinism : public ::testing::TestWithParam<Case> {
  protected:
    void SetUp() override {
        model_ = load(GetParam().model, {.n_threads = 1});
        ASSERT_TRUE(model_);
        const auto cache = make_cache(*model_, type());
        whole_ = read(*model_, *cache, kTokens, kTokens);
        ASSERT_EQ(whole_.size(), std::size_t{kTokens} * kGoldenVocab);
    }
    static KvType type() { return GetParam().type; }

    std::shared_ptr<const Model> model_;
    Floats whole_;  // logits of all tokens, read at once by one thread
};

TEST_P(Determinism, PrefillInAnyChunksEqualsSingleSteps) {
    for (const std::int32_t step : {1, 2, 3, 7, 16, 64, 255, 256, 257}) {
        const auto cache = make_cache(*model_, type());
        EXPECT_TRUE(same_bits(read(*model_, *cache, kTokens, step), whole_)) << step;
    }
}

TEST_P(Determinism, FastPromptsGetTheSameBitsInAnyChunksToo) {
    const auto once = make_cache(*model_, type());
    const Floats whole = read(*model_, *once, kTokens, kTokens, Precision::kFast);
    for (const std::int32_t step : {1, 2, 3, 7, 64, 257}) {
        const auto cache = make_cache(*model_, type());
        EXPECT_TRUE(same_bits(read(*model_, *cache, kTokens, step, Precision::kFast), whole))
            << step;
    }
}

TEST_P(Determinism, ThreadsDoNotShow) {
    for (const std::int32_t n_threads : {2, 3}) {
        const auto model = load(GetParam().model, {.n_threads = n_threads});
        ASSERT_TRUE(model);
        for (const std::int32_t step : {1, kTokens}) {
            const auto cache = make_cache(*model, type());
            EXPECT_TRUE(same_bits(read(*model, *cache, kTokens, step), whole_)) << step;
        }
    }
}

TEST_P(Determinism, WhatIsReadAgainEqualsWhatWasThere) {
    const auto cache = make_cache(*model_, type());
    read(*model_, *cache, 70, 1);
    for (const std::int32_t kept : {69, 64, 33, 1, 0}) {
        cache->truncate(kept);
        EXPECT_TRUE(same_bits(read(*model_, *cache, kTokens, 40), tail(whole_, kTokens - kept)))
            << kept;
    }
}

TEST_P(Determinism, TheLastSlotIsLikeAnyOther) {
    for (const std::int32_t capacity : {1, 64, 65, 130}) {
        const auto cache = make_cache(*model_, type(), capacity);
        const Floats rows = read(*model_, *cache, capacity, 1);
        EXPECT_TRUE(same_bits(
            rows,
            Floats(whole_.begin(), whole_.begin() + std::ptrdiff_t{capacity} * kGoldenVocab)));
        const TokenId more[] = {TokenId{1}};
        const auto full = model_->forward(more, *cache, {});
        ASSERT_FALSE(full);
        EXPECT_EQ(full.error().code, ErrorCode::kContextLength);
        EXPECT_EQ(cache->size(), capacity);
    }
}

double divergence(const float* expected, const float* actual) {
    const auto normaliser = [](const float* row) {
        const double max = *std::max_element(row, row + kGoldenVocab);
        double sum = 0;
        for (int i = 0; i < kGoldenVocab; ++i) sum += std::exp(static_cast<double>(row[i]) - max);
        return max + std::log(sum);
    };
    const double a = normaliser(expected);
    const double b = normaliser(actual);
    double kl = 0;
    for (int i = 0; i < kGoldenVocab; ++i) {
        const double p = static_cast<double>(expected[i]) - a;
        kl += std::exp(p) * (p - (static_cast<double>(actual[i]) - b));
    }
    return kl;
}

TEST_P(Determinism, InstructionSetsAgree) {
    setenv("NOTSO_ISA", "generic", 1);
    const auto plain = load(GetParam().model, {.n_threads = 1});
    unsetenv("NOTSO_ISA");
    ASSERT_TRUE(plain);
    const auto cache = make_cache(*plain, type());
    const Floats rows = read(*plain, *cache, kTokens, kTokens);
    ASSERT_EQ(rows.size(), whole_.size());
    double kl = 0;
    for (std::ptrdiff_t t = 0; t < kTokens; ++t) {
        const float* a = whole_.data() + t * kGoldenVocab;
        const float* b = rows.data() + t * kGoldenVocab;
        kl += divergence(a, b) / kTokens;
        // The same token, or one that is as likely: random weights leave some of them level.
        const std::ptrdiff_t other = std::max_element(b, b + kGoldenVocab) - b;
        EXPECT_NEAR(*std::max_element(a, a + kGoldenVocab), a[other], 1e-3) << t;
    }
    EXPECT_LT(kl, 1e-5);
}

/// Logprobs of a greedy answer as the engine tells them.
std::vector<std::optional<float>> answer(Engine& engine, std::vector<TokenId> prompt) {
    auto request = testing::greedy(std::move(prompt), 6);
    request.logprobs = true;
    const auto seen = testing::submit(engine, std::move(request)).seen;
    EXPECT_EQ(seen->wait_end().reason, FinishReason::kLength);
    return seen->logprobs;
}

/// Another text of the same length for each n.
std::vector<TokenId> other_tokens(std::int32_t n) {
    std::vector<TokenId> tokens = some_tokens();
    for (TokenId& id : tokens) id = TokenId{(to_int(id) + 7 * n) % kGoldenVocab};
    return tokens;
}

/// Keys and values of one context.
std::uint64_t smallest_budget(const Model& model) {
    return model.memory().kv_bytes_per_token *
           static_cast<std::uint64_t>(model.memory().context_length);
}

TEST_P(Determinism, AnEvictedPromptAnswersAsBefore) {
    const auto plan = load(GetParam().model, {.kv_type = type()});
    const auto model =
        load(GetParam().model, {.kv_type = type(), .kv_budget_bytes = smallest_budget(*plan)});
    const auto engine = Engine::create(model, {});
    ASSERT_TRUE(engine) << engine.error().detail;
    const auto first = answer(**engine, some_tokens());
    for (std::int32_t i = 1; i < 6; ++i) answer(**engine, other_tokens(i));
    EXPECT_EQ(answer(**engine, some_tokens()), first);
    EXPECT_EQ((*engine)->stats().cached_tokens, 0U) << "or nothing was evicted";
}

TEST_P(Determinism, ManyAtOnceAnswerAsEachAlone) {
    const auto plan = load(GetParam().model, {.kv_type = type()});
    const auto model =
        load(GetParam().model, {.kv_type = type(), .kv_budget_bytes = smallest_budget(*plan)});
    const auto request = [](std::int32_t i) {
        // Every other one begins like the one before it, and forks inside a page.
        std::vector<TokenId> prompt = other_tokens(i / 2);
        prompt.resize(100 + static_cast<std::size_t>(i) * 5);
        if (i % 2 == 1) prompt[90] = TokenId{3};
        auto out = greedy(std::move(prompt), 60);
        out.logprobs = true;
        return out;
    };
    std::vector<std::vector<std::optional<float>>> alone;
    for (std::int32_t i = 0; i < 8; ++i) {
        const auto engine = make(model, {.max_running = 1, .max_draft = 0});
        const auto seen = submit(*engine, request(i)).seen;
        seen->wait_end();
        alone.push_back(seen->logprobs);
    }
    // One that goes on for long is there first: it will need the others' memory.
    const auto engine = make(model);
    auto long_request = greedy(other_tokens(50), 300);
    long_request.user = 1;
    const auto first = submit(*engine, std::move(long_request));
    first.seen->wait_tokens(1);
    std::vector<Submitted> all;
    for (std::int32_t i = 0; i < 8; ++i) all.push_back(submit(*engine, request(i)));
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].seen->wait_end().reason, FinishReason::kLength);
        EXPECT_EQ(all[i].seen->logprobs, alone[i]) << i;
    }
}

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    for (const char* model : test::kGoldenModels) {
        for (const KvType type : {KvType::kF16, KvType::kF32}) cases.push_back({model, type});
    }
    // The two whose heads are whole blocks.
    for (const char* model : {"tiny_llama", "tiny_qwen3"}) cases.push_back({model, KvType::kQ8_0});
    return cases;
}

INSTANTIATE_TEST_SUITE_P(All, Determinism, ::testing::ValuesIn(all_cases()), [](const auto& test) {
    return fmt::format("{}_{}", test.param.model, kv_traits(test.param.type).name);
});

}  // namespace
}  // namespace notso::ml
