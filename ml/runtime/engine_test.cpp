// The engine with a model that has no weights: what it generates, when it ends, what it reuses,
// what it refuses.
#include "ml/runtime/engine.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "ml/runtime/engine_harness.hpp"

namespace notso::ml {
namespace {

using namespace testing;

TEST(Engine, GeneratesUntilMaxTokens) {
    const auto engine = make(counting_model());
    const auto [seen, id] = submit(*engine, greedy(tokens({1, 2, 3})));
    const GenerationEnd end = seen->wait_end();
    EXPECT_EQ(end.reason, FinishReason::kLength);
    EXPECT_EQ(seen->ids, tokens({4, 5, 6, 7, 8}));
    EXPECT_EQ(end.stats.prompt_tokens, 3);
    EXPECT_EQ(end.stats.generated_tokens, 5);
    EXPECT_EQ(seen->positions, std::vector{0});
    EXPECT_EQ(seen->logprobs.front(), std::nullopt);
}

TEST(Engine, EndTokensEndAndAreNotDelivered) {
    const auto engine = make(counting_model());
    GenerationRequest request = greedy(tokens({1}), 50);
    request.end_tokens = tokens({99, 4});
    const auto [seen, id] = submit(*engine, std::move(request));
    EXPECT_EQ(seen->wait_end().reason, FinishReason::kStop);
    EXPECT_EQ(seen->ids, tokens({2, 3}));
}

TEST(Engine, TheSinkCanStop) {
    const auto engine = make(counting_model());
    Submitted out;
    out.seen->stop_after = 2;
    ASSERT_TRUE(engine->submit(greedy(tokens({1})), std::make_unique<RecordingSink>(out.seen)));
    EXPECT_EQ(out.seen->wait_end().reason, FinishReason::kStop);
    EXPECT_EQ(out.seen->ids.size(), 2U);
}

TEST(Engine, TheContextsEndIsLength) {
    const auto engine = make(counting_model(10));
    const auto [seen, id] = submit(*engine, greedy(tokens({1, 2, 3}), 0));
    EXPECT_EQ(seen->wait_end().reason, FinishReason::kLength);
    EXPECT_EQ(seen->ids.size(), 7U) << "prompt and answer fill the context exactly";
}

TEST(Engine, ReadsThePromptInChunksAndTellsProgress) {
    const auto model = counting_model();
    const auto engine = make(model, {.prefill_chunk = 4});
    const auto [seen, id] = submit(*engine, greedy(counting(10), 2));
    seen->wait_end();
    EXPECT_EQ(model->reads(), (std::vector<std::size_t>{4, 4, 2, 1}));
    using P = std::pair<std::int32_t, std::int32_t>;
    EXPECT_EQ(seen->prefill, (std::vector<P>{{0, 10}, {4, 10}, {8, 10}, {10, 10}}));
}

TEST(Engine, ChunksFollowTheMachinesSpeed) {
    const auto slow = counting_model();
    slow->before_forward = [](std::size_t n) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1) * n);
    };
    submit(*make(slow), greedy(counting(200), 1)).seen->wait_end();
    EXPECT_EQ(slow->reads().front(), 16U);
    EXPECT_LE(std::ranges::max(slow->reads()), 30U) << "30 tokens are 30 ms, and it has one layer";
    const auto fast = counting_model();
    submit(*make(fast), greedy(counting(300), 1)).seen->wait_end();
    EXPECT_GT(std::ranges::max(fast->reads()), 32U);
    EXPECT_LE(std::ranges::max(fast->reads()), 256U);
}

TEST(Engine, ReusesTheLongestCommonPrefix) {
    const auto model = counting_model();
    const auto engine = make(model);
    submit(*engine, greedy(tokens({1, 2, 3}), 3)).seen->wait_end();  // then holds 1 2 3 4 5
    const auto longer = submit(*engine, greedy(tokens({1, 2, 3, 4, 9, 10}), 2)).seen;
    EXPECT_EQ(longer->wait_end().stats.cached_tokens, 4);
    EXPECT_EQ(longer->ids, tokens({11, 12}));
    EXPECT_EQ(longer->prefill.front().first, 4);
    const auto same = submit(*engine, greedy(tokens({1, 2, 3, 4, 9, 10}), 2)).seen;
    EXPECT_EQ(same->wait_end().stats.cached_tokens, 5) << "the last prompt token is always read";
    EXPECT_EQ(same->ids, longer->ids);
    const auto other = submit(*engine, greedy(tokens({7, 2, 3}), 2)).seen;
    EXPECT_EQ(other->wait_end().stats.cached_tokens, 0);
    EXPECT_EQ(other->ids, tokens({4, 5}));
    EXPECT_EQ(engine->stats().cached_tokens, 9U);
    EXPECT_EQ(engine->stats().prompt_tokens, 3U + 6 + 6 + 3);
    EXPECT_EQ(engine->stats().generated_tokens, 3U + 2 + 2 + 2);
}

TEST(Engine, ReadsOnlyNewPromptTextFast) {
    const auto model = counting_model();
    const auto engine =
        make(model, {.prefill_chunk = 4, .prompt_precision = Precision::kFast, .exact_tail = 0});
    auto request = greedy(counting(10), 3);
    request.n_exact = 6;
    submit(*engine, request).seen->wait_end();
    EXPECT_EQ(model->reads(), (std::vector<std::size_t>{4, 2, 4, 1, 1}))
        << "no chunk is read in two ways";
    EXPECT_EQ(model->fast_tokens(), 4) << "neither what a model wrote before nor what it writes";
    const auto exact = counting_model();
    submit(*make(exact), greedy(counting(10), 3)).seen->wait_end();
    EXPECT_EQ(exact->fast_tokens(), 0);
}

TEST(Engine, ReadsTheEndOfAPromptExactly) {
    const auto model = counting_model();
    const auto engine =
        make(model, {.prefill_chunk = 4, .prompt_precision = Precision::kFast, .exact_tail = 3});
    submit(*engine, greedy(counting(10), 1)).seen->wait_end();
    EXPECT_EQ(model->reads(), (std::vector<std::size_t>{4, 3, 3}));
    EXPECT_EQ(model->fast_tokens(), 7);
    submit(*engine, greedy(tokens({9, 9, 9}), 1)).seen->wait_end();
    EXPECT_EQ(model->fast_tokens(), 7) << "a prompt that is no longer than its end";
    auto request = greedy(tokens({8, 8, 8, 8, 8, 8}), 1);
    request.n_exact = 5;
    submit(*engine, request).seen->wait_end();
    EXPECT_EQ(model->fast_tokens(), 7) << "a model's own text reaches into the end";
}

TEST(Engine, ChecksRequestsBeforeTheyAreQueued) {
    const auto engine = make(counting_model(8));
    const auto code = [&](GenerationRequest request) {
        const auto refused = engine->submit(
            std::move(request), std::make_unique<RecordingSink>(std::make_shared<Seen>()));
        return refused ? std::optional<ErrorCode>() : refused.error().code;
    };
    EXPECT_EQ(code(greedy({})), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(greedy(tokens({264}))), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(greedy(tokens({-1}))), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(greedy(counting(8))), ErrorCode::kContextLength);
    EXPECT_EQ(code(greedy(counting(7))), std::nullopt);
    EXPECT_EQ(code(greedy(tokens({1}), -1)), ErrorCode::kInvalidArgument);
    GenerationRequest request = greedy(tokens({1}));
    request.sampling.top_p = 0;
    EXPECT_EQ(code(request), ErrorCode::kInvalidArgument);
    request = greedy(tokens({1}));
    request.sampling.logit_bias = {{TokenId{264}, 1.0F}};
    EXPECT_EQ(code(request), ErrorCode::kInvalidArgument);
    request = greedy(tokens({1}));
    request.n_top_logprobs = 21;
    EXPECT_EQ(code(request), ErrorCode::kInvalidArgument);
}

TEST(Engine, GivesLogprobsWhenAsked) {
    const auto engine = make(counting_model());
    GenerationRequest request = greedy(tokens({1}), 1);
    request.logprobs = true;
    request.n_top_logprobs = 3;
    const auto [seen, id] = submit(*engine, std::move(request));
    seen->wait_end();
    ASSERT_TRUE(seen->logprobs.front());
    EXPECT_NEAR(*seen->logprobs.front(), 0.0F, 1e-4F) << "20 above all others: nearly certain";
    EXPECT_EQ(seen->n_top.front(), 3U);
}

TEST(Engine, TheSeedDecidesTheTokens) {
    const auto flat = std::make_shared<FakeModel>(
        [](std::span<const TokenId>, std::size_t) { return TokenId{0}; });
    const auto engine = make(flat);
    const auto run = [&](std::uint64_t seed) {
        GenerationRequest request = greedy(tokens({1}), 20);
        request.sampling.temperature = 10;
        request.sampling.top_p = 1;
        request.sampling.seed = seed;
        const auto seen = submit(*engine, std::move(request)).seen;
        seen->wait_end();
        return seen->ids;
    };
    EXPECT_EQ(run(5), run(5));
    EXPECT_NE(run(5), run(6));
}

TEST(Engine, ContextAndTypeOfTheCacheAreThePlans) {
    const auto model = counting_model(300);
    const auto engine = make(model);
    EXPECT_EQ(engine->context_length(), 300);
    submit(*engine, greedy(counting(10), 1)).seen->wait_end();
    while (engine->stats().kv_bytes == 0) std::this_thread::yield();
    EXPECT_EQ(engine->stats().kv_bytes, 64U * 8) << "a page";
    EXPECT_EQ(engine->stats().kv_budget_bytes, 6U * 64 * 8) << "five pages and one";
    model->mutable_plan().kv_type = KvType::kQ8_0;  // its heads have two dimensions
    EXPECT_EQ(Engine::create(model, {}).error().code, ErrorCode::kUnsupported);
}

TEST(Engine, AContextOfOneHasNoRoomForAnAnswer) {
    const auto engine = make(counting_model(1));
    const auto refused = engine->submit(greedy(tokens({1})),
                                        std::make_unique<RecordingSink>(std::make_shared<Seen>()));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kContextLength);
    EXPECT_NE(refused.error().detail.find("has 1 tokens, the context holds 1"), std::string::npos)
        << refused.error().detail;
}

/// Answers at random, but the same after the same text.
std::shared_ptr<FakeModel> fickle_model() {
    auto model = std::make_shared<FakeModel>([](std::span<const TokenId> all, std::size_t) {
        std::uint64_t hash = all.size();
        for (const TokenId id : all) hash = hash * 31 + to_index(id);
        return TokenId{static_cast<std::int32_t>(hash % 256)};
    });
    model->mutable_plan().context_length = 256;
    return model;
}

TEST(Engine, GoesOnWithAnAnswerAsIfItHadNeverStopped) {
    const std::vector<TokenId> prompt = counting(40);
    for (const float temperature : {0.0F, 9.0F}) {
        GenerationRequest whole = greedy(prompt, 60);
        whole.sampling.temperature = temperature;
        whole.sampling.top_p = 1;
        whole.sampling.seed = 7;
        whole.sampling.repeat_penalty = 1.3F;
        const auto before = make(fickle_model());
        const auto first = submit(*before, whole).seen;
        ASSERT_EQ(first->wait_end().reason, FinishReason::kLength);
        ASSERT_EQ(first->ids.size(), 60U);
        for (const std::int32_t cut : {1, 2, 17, 59}) {
            GenerationRequest rest = whole;
            rest.written.assign(first->ids.begin(), first->ids.begin() + cut);
            rest.n_drawn = cut;
            const auto engine = make(fickle_model());  // nothing of it is cached
            const auto second = submit(*engine, rest).seen;
            const GenerationEnd end = second->wait_end();
            EXPECT_EQ(end.reason, FinishReason::kLength);
            EXPECT_EQ(end.stats.generated_tokens, 60);
            EXPECT_EQ(end.stats.prompt_tokens, 40);
            EXPECT_EQ(second->prefill.back(), std::pair(40 + cut, 40 + cut));
            const std::vector<TokenId> expected(first->ids.begin() + cut, first->ids.end());
            EXPECT_EQ(second->ids, expected) << temperature << " cut at " << cut;
        }
    }
}

TEST(Engine, ReadsExactlyWhatWasWrittenBefore) {
    const auto model = counting_model();
    const auto engine = make(model, {.prompt_precision = Precision::kFast, .exact_tail = 4});
    GenerationRequest request = greedy(counting(40), 70);
    request.written = counting(64);
    submit(*engine, request).seen->wait_end();
    EXPECT_EQ(model->fast_tokens(), 36);
}

TEST(Engine, RefusesToGoOnWhereNothingCanFollow) {
    const auto engine = make(counting_model(64));
    const auto refusal = [&](GenerationRequest request) {
        return engine
            ->submit(std::move(request), std::make_unique<RecordingSink>(std::make_shared<Seen>()))
            .error()
            .code;
    };
    GenerationRequest request = greedy(counting(40), 0);
    request.written = counting(24);
    EXPECT_EQ(refusal(request), ErrorCode::kContextLength);
    request.written = tokens({1, 9999});
    EXPECT_EQ(refusal(request), ErrorCode::kInvalidArgument);
    request.written = counting(5);
    request.max_tokens = 5;
    EXPECT_EQ(refusal(request), ErrorCode::kInvalidArgument);
}

TEST(Engine, IsQuietWhenAllThatRunAre) {
    const auto model = counting_model();
    const auto engine = make(model, {.max_draft = 0});
    GenerationRequest quiet = greedy(tokens({0, 1, 2}), 10);
    quiet.quiet = true;
    submit(*engine, quiet).seen->wait_end();
    const std::size_t passes = model->reads().size();
    EXPECT_EQ(model->n_quiet(), passes);
    submit(*engine, greedy(tokens({40, 1, 2}), 10)).seen->wait_end();
    EXPECT_EQ(model->n_quiet(), passes);
    EXPECT_GT(model->reads().size(), passes);

    Gate gate;
    model->before_forward = [&](std::size_t) { gate.pass(); };
    const auto loud = submit(*engine, greedy(tokens({80, 1, 2}), 10));
    gate.wait_arrived();
    quiet.max_tokens = 5;
    const auto beside = submit(*engine, quiet);
    gate.open();
    beside.seen->wait_end();
    EXPECT_EQ(model->n_quiet(), passes) << "the other one is in no hurry to be slow";
    loud.seen->wait_end();
}

}  // namespace
}  // namespace notso::ml
