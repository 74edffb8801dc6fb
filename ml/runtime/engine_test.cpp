// The engine with a model that has no weights: order, ends, cancellation, prefix reuse, limits,
// failures.
#include "ml/runtime/engine.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "base/clock.hpp"
#include "ml/runtime/fake_model.hpp"

namespace notso::ml {
namespace {

using std::chrono::milliseconds;
using testing::FakeModel;

std::vector<TokenId> tokens(std::initializer_list<std::int32_t> ids) {
    std::vector<TokenId> out;
    for (const auto id : ids) out.push_back(TokenId{id});
    return out;
}

std::vector<TokenId> counting(std::int32_t n) {
    std::vector<TokenId> out;
    for (std::int32_t i = 0; i < n; ++i) out.push_back(TokenId{i % 200});
    return out;
}

/// Counts up from the last token.
std::shared_ptr<FakeModel> counting_model() {
    return std::make_shared<FakeModel>([](std::span<const TokenId> all, std::size_t) {
        return TokenId{(to_int(all.back()) + 1) % 256};
    });
}

/// What one request's sink saw; outlives the sink.
struct Seen {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<TokenId> ids;
    std::vector<std::int32_t> positions;
    std::vector<std::pair<std::int32_t, std::int32_t>> prefill;
    std::vector<std::optional<float>> logprobs;
    std::vector<std::size_t> n_top;
    std::vector<GenerationEnd> ends;
    std::size_t stop_after = 0;  ///< 0 = never
    bool sink_destroyed = false;

    GenerationEnd wait_end() {
        std::unique_lock lock(mutex);
        const bool ended =
            changed.wait_for(lock, std::chrono::seconds(10), [this] { return !ends.empty(); });
        return ended ? ends.front()
                     : GenerationEnd{FinishReason::kError, Error{ErrorCode::kTimeout, "no end"}};
    }
    void wait_tokens(std::size_t n) {
        std::unique_lock lock(mutex);
        changed.wait_for(lock, std::chrono::seconds(10), [&] { return ids.size() >= n; });
    }
};

class RecordingSink final : public TokenSink {
  public:
    explicit RecordingSink(std::shared_ptr<Seen> seen) : seen_(std::move(seen)) {}
    ~RecordingSink() override {
        const std::lock_guard lock(seen_->mutex);
        seen_->sink_destroyed = true;
    }
    void on_queued(std::int32_t position) override {
        const std::lock_guard lock(seen_->mutex);
        seen_->positions.push_back(position);
        seen_->changed.notify_all();
    }
    void on_prefill(std::int32_t done, std::int32_t total) override {
        const std::lock_guard lock(seen_->mutex);
        seen_->prefill.emplace_back(done, total);
    }
    SinkVerdict on_token(const GeneratedToken& token) override {
        const std::lock_guard lock(seen_->mutex);
        seen_->ids.push_back(token.id);
        seen_->logprobs.push_back(token.logprob);
        seen_->n_top.push_back(token.top.size());
        seen_->changed.notify_all();
        return seen_->ids.size() == seen_->stop_after ? SinkVerdict::kStop : SinkVerdict::kContinue;
    }
    void on_end(const GenerationEnd& end) override {
        const std::lock_guard lock(seen_->mutex);
        seen_->ends.push_back(end);
        seen_->changed.notify_all();
    }

  private:
    std::shared_ptr<Seen> seen_;
};

GenerationRequest greedy(std::vector<TokenId> prompt, std::int32_t max_tokens = 5) {
    GenerationRequest request;
    request.prompt = std::move(prompt);
    request.max_tokens = max_tokens;
    request.sampling.temperature = 0;
    return request;
}

std::unique_ptr<Engine> make(std::shared_ptr<const Model> model, EngineOptions options = {}) {
    if (options.context_length == 0) options.context_length = 1024;
    return Engine::create(std::move(model), options).value();
}

struct Submitted {
    std::shared_ptr<Seen> seen = std::make_shared<Seen>();
    RequestId id{};
};

Submitted submit(Engine& engine, GenerationRequest request) {
    Submitted out;
    const auto id = engine.submit(std::move(request), std::make_unique<RecordingSink>(out.seen));
    EXPECT_TRUE(id) << id.error().detail;
    out.id = id.value_or(RequestId{});
    return out;
}

/// Holds the model before a forward pass until opened.
class Gate {
  public:
    void pass() {
        std::unique_lock lock(mutex_);
        ++arrived_;
        changed_.notify_all();
        changed_.wait_for(lock, std::chrono::seconds(10), [this] { return open_; });
    }
    void wait_arrived(int n = 1) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::seconds(10), [&] { return arrived_ >= n; });
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int arrived_ = 0;
    bool open_ = false;
};

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
    const auto engine = make(counting_model(), {.context_length = 10});
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

TEST(Engine, RunsInOrderAndTellsPositions) {
    Gate gate;
    const auto model = counting_model();
    model->before_forward = [&](std::size_t) { gate.pass(); };
    const auto engine = make(model);
    const auto a = submit(*engine, greedy(tokens({1}), 2));
    gate.wait_arrived();
    const auto b = submit(*engine, greedy(tokens({50}), 2));
    const auto c = submit(*engine, greedy(tokens({90}), 2));
    EXPECT_EQ(engine->stats().waiting, 2);
    EXPECT_EQ(engine->stats().running, 1);
    gate.open();
    c.seen->wait_end();
    EXPECT_EQ(b.seen->ends.size(), 1U);
    EXPECT_EQ(b.seen->positions, std::vector{0});
    EXPECT_EQ(c.seen->positions, (std::vector{1, 0}));
}

TEST(Engine, RefusesAtOnceWhenTheQueueIsFull) {
    Gate gate;
    const auto model = counting_model();
    model->before_forward = [&](std::size_t) { gate.pass(); };
    const auto engine = make(model);
    std::vector<Submitted> all;
    all.push_back(submit(*engine, greedy(tokens({1}), 1)));
    gate.wait_arrived();
    for (int i = 0; i < 64; ++i) all.push_back(submit(*engine, greedy(tokens({1}), 1)));
    const auto seen = std::make_shared<Seen>();
    const auto begin = SteadyClock::now();
    const auto refused =
        engine->submit(greedy(tokens({1}), 1), std::make_unique<RecordingSink>(seen));
    EXPECT_LT(SteadyClock::now() - begin, milliseconds(1000));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
    EXPECT_TRUE(seen->ends.empty());
    EXPECT_TRUE(seen->sink_destroyed);
    gate.open();
    for (const Submitted& one : all) EXPECT_EQ(one.seen->wait_end().reason, FinishReason::kLength);
}

TEST(Engine, CancelsWhatIsQueuedWithoutWaitingForItsTurn) {
    Gate gate;
    const auto model = counting_model();
    int passes = 0;
    model->before_forward = [&](std::size_t) {
        if (++passes == 1) gate.pass();
        std::this_thread::sleep_for(milliseconds(1));
    };
    const auto engine = make(model, {.context_length = 4096});
    const auto running = submit(*engine, greedy(tokens({1}), 0));
    gate.wait_arrived();
    const auto queued = submit(*engine, greedy(tokens({2}), 5));
    engine->cancel(queued.id);
    gate.open();
    EXPECT_EQ(queued.seen->wait_end().reason, FinishReason::kCancelled);
    EXPECT_TRUE(queued.seen->ids.empty());
    {
        const std::lock_guard lock(running.seen->mutex);
        EXPECT_TRUE(running.seen->ends.empty());
    }
    engine->cancel(running.id);
    EXPECT_EQ(running.seen->wait_end().reason, FinishReason::kCancelled);
}

TEST(Engine, CancelsBetweenPrefillChunks) {
    Gate gate;
    const auto model = counting_model();
    model->before_forward = [&](std::size_t) { gate.pass(); };
    const auto engine = make(model, {.prefill_chunk = 4});
    const auto [seen, id] = submit(*engine, greedy(counting(400), 5));
    gate.wait_arrived();
    engine->cancel(id);
    gate.open();
    EXPECT_EQ(seen->wait_end().reason, FinishReason::kCancelled);
    EXPECT_EQ(model->reads().size(), 1U);
    EXPECT_TRUE(seen->ids.empty());
    const auto again = submit(*engine, greedy(counting(400), 1)).seen;
    EXPECT_EQ(again->wait_end().stats.cached_tokens, 4) << "what was read stays useful";
}

TEST(Engine, CancelsDuringDecode) {
    const auto model = counting_model();
    model->before_forward = [](std::size_t) { std::this_thread::sleep_for(milliseconds(1)); };
    const auto engine = make(model);
    const auto [seen, id] = submit(*engine, greedy(tokens({1}), 0));
    seen->wait_tokens(3);
    engine->cancel(id);
    const GenerationEnd end = seen->wait_end();
    EXPECT_EQ(end.reason, FinishReason::kCancelled);
    EXPECT_LT(end.stats.generated_tokens, 1000);
    engine->cancel(id);
    engine->cancel(RequestId{12345});
}

TEST(Engine, DestructionEndsEverySinkExactlyOnce) {
    std::vector<Submitted> all;
    const auto model = counting_model();
    model->before_forward = [](std::size_t) { std::this_thread::sleep_for(milliseconds(1)); };
    {
        const auto engine = make(model);
        for (int i = 0; i < 10; ++i) all.push_back(submit(*engine, greedy(tokens({i}), 0)));
        all.front().seen->wait_tokens(2);
    }
    for (const Submitted& one : all) {
        ASSERT_EQ(one.seen->ends.size(), 1U);
        EXPECT_EQ(one.seen->ends.front().reason, FinishReason::kCancelled);
        EXPECT_TRUE(one.seen->sink_destroyed);
    }
}

TEST(Engine, AFailingModelEndsTheRequestNotTheEngine) {
    const auto model = counting_model();
    const auto engine = make(model);
    submit(*engine, greedy(tokens({1, 2, 3}), 1)).seen->wait_end();
    model->fail_with = "the weights are tired";
    const GenerationEnd end = submit(*engine, greedy(tokens({1, 2, 3}), 1)).seen->wait_end();
    EXPECT_EQ(end.reason, FinishReason::kError);
    ASSERT_TRUE(end.error);
    EXPECT_EQ(end.error->detail, "the weights are tired");
    model->fail_with.clear();
    const auto after = submit(*engine, greedy(tokens({1, 2, 3}), 1)).seen;
    EXPECT_EQ(after->wait_end().reason, FinishReason::kLength);
    EXPECT_EQ(after->wait_end().stats.cached_tokens, 0) << "nothing of a failed pass may be reused";
}

TEST(Engine, ExceptionsBecomeErrors) {
    const auto model = counting_model();
    const auto engine = make(model);
    model->before_forward = [](std::size_t) { throw std::bad_alloc(); };
    EXPECT_EQ(submit(*engine, greedy(tokens({1}))).seen->wait_end().error->code,
              ErrorCode::kOutOfMemory);
    model->before_forward = [](std::size_t) { throw std::runtime_error("boom"); };
    const GenerationEnd end = submit(*engine, greedy(tokens({1}))).seen->wait_end();
    EXPECT_EQ(end.error->code, ErrorCode::kInternal);
    EXPECT_NE(end.error->detail.find("boom"), std::string::npos);
    model->before_forward = nullptr;
    EXPECT_EQ(submit(*engine, greedy(tokens({1}))).seen->wait_end().reason, FinishReason::kLength);
}

TEST(Engine, ChecksRequestsBeforeTheyAreQueued) {
    const auto engine = make(counting_model(), {.context_length = 8});
    const auto code = [&](GenerationRequest request) {
        const auto refused = engine->submit(
            std::move(request), std::make_unique<RecordingSink>(std::make_shared<Seen>()));
        return refused ? std::optional<ErrorCode>() : refused.error().code;
    };
    EXPECT_EQ(code(greedy({})), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(greedy(tokens({261}))), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(greedy(tokens({-1}))), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(greedy(counting(8))), ErrorCode::kContextLength);
    EXPECT_EQ(code(greedy(counting(7))), std::nullopt);
    EXPECT_EQ(code(greedy(tokens({1}), -1)), ErrorCode::kInvalidArgument);
    GenerationRequest request = greedy(tokens({1}));
    request.sampling.top_p = 0;
    EXPECT_EQ(code(request), ErrorCode::kInvalidArgument);
    request = greedy(tokens({1}));
    request.sampling.logit_bias = {{TokenId{261}, 1.0F}};
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

TEST(Engine, CreationRefusesAContextThatIsTooLong) {
    const auto refused = Engine::create(counting_model(), {.context_length = 4097});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(Engine::create(counting_model(), {}).value()->context_length(), 4096);
}

}  // namespace
}  // namespace notso::ml
