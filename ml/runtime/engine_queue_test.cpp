// The engine's queue: order, refusal, cancellation in every phase, the end of the engine, failures
// of the model.
#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

#include "base/clock.hpp"
#include "ml/runtime/engine.hpp"
#include "ml/runtime/engine_harness.hpp"

namespace notso::ml {
namespace {

using namespace testing;
using std::chrono::milliseconds;

TEST(Engine, RunsInOrderAndTellsPositions) {
    Gate gate;
    const auto model = counting_model();
    model->before_forward = [&](std::size_t) { gate.pass(); };
    const auto engine = make(model, {.max_running = 1});
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
    const auto engine = make(model, {.max_running = 1});
    std::vector<Submitted> all;
    all.push_back(submit(*engine, greedy(tokens({1}), 1)));
    gate.wait_arrived();
    for (int i = 0; i < 64; ++i) all.push_back(submit(*engine, greedy(tokens({1}), 1)));
    const auto seen = std::make_shared<Seen>();
    const auto refused =
        engine->submit(greedy(tokens({1}), 1), std::make_unique<RecordingSink>(seen));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
    EXPECT_TRUE(seen->ends.empty());
    EXPECT_TRUE(seen->sink_destroyed);
    gate.open();
    for (const Submitted& one : all) EXPECT_EQ(one.seen->wait_end().reason, FinishReason::kLength);
}

TEST(Engine, CancelsWhatIsQueuedWithoutWaitingForItsTurn) {
    Gate gate;
    const auto model = counting_model(4096);
    int passes = 0;
    model->before_forward = [&](std::size_t) {
        if (++passes == 1) gate.pass();
        std::this_thread::sleep_for(milliseconds(1));
    };
    const auto engine = make(model);
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

TEST(Engine, CancelsBetweenLayersOfAPrompt) {
    Gate gate;
    const auto model = counting_model();
    model->before_forward = [&](std::size_t) {
        if (model->reads().size() == 2) gate.pass();
    };
    const auto engine = make(model, {.prefill_chunk = 4});
    const auto [seen, id] = submit(*engine, greedy(counting(400), 5));
    gate.wait_arrived();
    engine->cancel(id);
    gate.open();
    EXPECT_EQ(seen->wait_end().reason, FinishReason::kCancelled);
    EXPECT_EQ(model->reads().size(), 3U);
    EXPECT_TRUE(seen->ids.empty());
    const auto again = submit(*engine, greedy(counting(400), 1)).seen;
    EXPECT_EQ(again->wait_end().stats.cached_tokens, 8)
        << "what was read stays useful, but not what was begun";
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
    const GenerationEnd end = submit(*engine, greedy(tokens({1, 2, 3, 4, 5}), 1)).seen->wait_end();
    EXPECT_EQ(end.reason, FinishReason::kError);
    ASSERT_TRUE(end.error);
    EXPECT_EQ(end.error->detail, "the weights are tired");
    model->fail_with.clear();
    const auto after = submit(*engine, greedy(tokens({1, 2, 3, 4, 5}), 1)).seen;
    EXPECT_EQ(after->wait_end().reason, FinishReason::kLength);
    EXPECT_EQ(after->wait_end().stats.cached_tokens, 3) << "what was read before, nothing else";
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

}  // namespace
}  // namespace notso::ml
