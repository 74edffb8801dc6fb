// The engine with several requests at once: each gets what it gets alone, long prompts and greedy
// users stop nobody, background work steps aside, memory is shared and comes back.
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "ml/runtime/engine.hpp"
#include "ml/runtime/engine_harness.hpp"

namespace notso::ml {
namespace {

using namespace testing;
using std::chrono::milliseconds;

std::vector<TokenId> from(std::int32_t first, std::int32_t n) {
    std::vector<TokenId> out;
    for (std::int32_t i = 0; i < n; ++i) out.push_back(TokenId{(first + i) % 256});
    return out;
}

/// Gives memory for so many tokens to all sequences together.
void set_pool(FakeModel& model, std::int32_t n_tokens) {
    model.mutable_plan().kv_budget_bytes =
        static_cast<std::uint64_t>(n_tokens) * model.memory().kv_bytes_per_token;
}

std::size_t count(const std::shared_ptr<Seen>& seen) {
    const std::lock_guard lock(seen->mutex);
    return seen->ids.size();
}

bool ended(const std::shared_ptr<Seen>& seen) {
    const std::lock_guard lock(seen->mutex);
    return !seen->ends.empty();
}

TEST(EngineBatch, AnswersGoOnTogether) {
    Gate gate;
    const auto model = counting_model();
    model->before_forward = [&](std::size_t) { gate.pass(); };
    const auto engine = make(model, {.max_draft = 0});
    const auto first = submit(*engine, greedy(from(0, 3), 10));
    gate.wait_arrived();
    std::vector<Submitted> all = {first};
    for (int i = 1; i < 5; ++i) all.push_back(submit(*engine, greedy(from(i * 40, 3), 10)));
    gate.open();
    for (int i = 0; i < 5; ++i) {
        const auto& seen = all[static_cast<std::size_t>(i)].seen;
        EXPECT_EQ(seen->wait_end().reason, FinishReason::kLength);
        EXPECT_EQ(seen->ids, from(i * 40 + 3, 10)) << i;
    }
    EXPECT_GE(std::ranges::count(model->reads(), 5U), 7) << "one pass for all five";
    EXPECT_LE(model->reads().size(), 15U);
}

TEST(EngineBatch, PromptsAreReadTogether) {
    Gate gate;
    const auto model = counting_model();
    model->before_forward = [&](std::size_t) { gate.pass(); };
    const auto engine = make(model, {.prefill_chunk = 16});
    submit(*engine, greedy(tokens({1}), 1));
    gate.wait_arrived();
    std::vector<Submitted> all;
    for (int i = 0; i < 3; ++i) all.push_back(submit(*engine, greedy(from(i * 40, 4), 1)));
    gate.open();
    for (const Submitted& one : all) one.seen->wait_end();
    EXPECT_EQ(model->reads(), (std::vector<std::size_t>{1, 12}));
}

TEST(EngineBatch, AnswersGoOnBesideALongPrompt) {
    const auto model = counting_model(4096);
    model->n_pauses = 200;
    model->pause = milliseconds(1);
    const auto engine = make(model, {.prefill_chunk = 16, .max_draft = 0});
    const auto running = submit(*engine, greedy(from(0, 2), 0));
    running.seen->wait_tokens(3);
    const auto other = submit(*engine, greedy(from(7, 16), 1));
    other.seen->wait_end();
    engine->cancel(running.id);
    running.seen->wait_end();
    EXPECT_GE(model->passes_between_layers(), 3) << "200 ms have room for more than one";
    EXPECT_EQ(running.seen->ids, from(2, static_cast<std::int32_t>(running.seen->ids.size())));
    EXPECT_EQ(other.seen->ids, from(23, 1));
}

TEST(EngineBatch, AShortPromptDoesNotWaitForALongOne) {
    Gate gate;
    const auto model = counting_model(4096);
    model->before_forward = [&](std::size_t) { gate.pass(); };
    const auto engine = make(model, {.prefill_chunk = 16});
    const auto first = submit(*engine, greedy(from(0, 1000), 1));
    gate.wait_arrived();
    const auto second = submit(*engine, greedy(from(100, 12), 1));
    gate.open();
    second.seen->wait_end();
    first.seen->wait_end();
    using P = std::pair<std::int32_t, std::int32_t>;
    EXPECT_EQ(second.seen->prefill, (std::vector<P>{{0, 12}, {8, 12}, {12, 12}}));
    ASSERT_GE(first.seen->prefill.size(), 4U);
    EXPECT_EQ(first.seen->prefill[2].first, 24) << "half of a pass is still for the first";
    EXPECT_EQ(first.seen->prefill[3].first, 36) << "and what is left";
}

TEST(EngineBatch, WhatPromptsBeginWithIsReadOnce) {
    Gate gate;
    const auto model = counting_model();
    model->before_forward = [&](std::size_t) { gate.pass(); };
    const auto engine = make(model);
    const auto first = submit(*engine, greedy(tokens({1}), 1));
    gate.wait_arrived();
    std::vector<Submitted> all;
    for (int i = 0; i < 4; ++i) {
        auto prompt = from(50, 200);
        for (const TokenId id : from(i * 9, 10)) prompt.push_back(id);
        all.push_back(submit(*engine, greedy(std::move(prompt), 3)));
    }
    gate.open();
    std::int32_t cached = 0;
    for (int i = 0; i < 4; ++i) {
        const auto& seen = all[static_cast<std::size_t>(i)].seen;
        cached += seen->wait_end().stats.cached_tokens;
        EXPECT_EQ(seen->ids, from(i * 9 + 10, 3));
    }
    EXPECT_GE(cached, 3 * 192);
}

TEST(EngineBatch, BothModesOfAConversationStayKnown) {
    const auto engine = make(counting_model());
    const auto think = from(0, 300);
    const auto no_think = from(100, 300);
    const auto cached = [&](std::vector<TokenId> prompt) {
        return submit(*engine, greedy(std::move(prompt), 1)).seen->wait_end().stats.cached_tokens;
    };
    EXPECT_EQ(cached(think), 0);
    EXPECT_EQ(cached(no_think), 0);
    EXPECT_EQ(cached(think), 299);
    EXPECT_EQ(cached(no_think), 299);
}

TEST(EngineBatch, UsersTakeTurns) {
    Gate gate;
    const auto model = counting_model();
    model->before_forward = [&](std::size_t) { gate.pass(); };
    const auto engine = make(model, {.max_queue = 300, .max_running = 1});
    const auto of = [](std::uint64_t user, Priority priority = Priority::kInteractive) {
        auto request = greedy(tokens({static_cast<std::int32_t>(user)}), 1);
        request.user = user;
        request.priority = priority;
        return request;
    };
    submit(*engine, of(1));
    gate.wait_arrived();
    std::vector<Submitted> many;
    for (int i = 0; i < 200; ++i) many.push_back(submit(*engine, of(1)));
    const auto api = submit(*engine, of(3, Priority::kApi));
    const auto one = submit(*engine, of(2));
    gate.open();
    api.seen->wait_end();
    EXPECT_EQ(one.seen->positions.front(), 0) << "one user's queue is not another's";
    EXPECT_EQ(api.seen->positions.front(), 201) << "a person goes before a program";
    many.back().seen->wait_end();
}

TEST(EngineBatch, AFullQueueLetsOtherUsersIn) {
    Gate gate;
    const auto model = counting_model();
    model->before_forward = [&](std::size_t) { gate.pass(); };
    const auto engine = make(model, {.max_queue = 8, .max_running = 1});
    submit(*engine, greedy(tokens({1}), 1));
    gate.wait_arrived();
    for (int i = 0; i < 8; ++i) submit(*engine, greedy(tokens({1}), 1));
    const auto refused = [&](std::uint64_t user) {
        auto request = greedy(tokens({1}), 1);
        request.user = user;
        return !engine->submit(std::move(request),
                               std::make_unique<RecordingSink>(std::make_shared<Seen>()));
    };
    EXPECT_TRUE(refused(0));
    EXPECT_FALSE(refused(1));
    EXPECT_TRUE(refused(1));
    EXPECT_FALSE(refused(2));
    EXPECT_TRUE(refused(3)) << "but not without end";
    gate.open();
}

TEST(EngineBatch, OneUserDoesNotTakeEveryPlace) {
    Gate gate;
    const auto model = counting_model();
    model->before_forward = [&](std::size_t) { gate.pass(); };
    const auto engine = make(model, {.max_running = 4});
    submit(*engine, greedy(tokens({1}), 50));
    gate.wait_arrived();
    std::vector<Submitted> many;
    for (int i = 0; i < 6; ++i) many.push_back(submit(*engine, greedy(tokens({i}), 0)));
    auto request = greedy(tokens({9}), 3);
    request.user = 5;
    const auto other = submit(*engine, std::move(request));
    gate.open();
    EXPECT_EQ(other.seen->wait_end().reason, FinishReason::kLength);
    for (const Submitted& one : many) EXPECT_FALSE(ended(one.seen)) << "it waited for none of them";
}

TEST(EngineBatch, BackgroundWorkStepsAside) {
    const auto model = counting_model(4096);
    model->before_forward = [](std::size_t) { std::this_thread::sleep_for(milliseconds(1)); };
    const auto engine = make(model, {.max_draft = 0});
    auto request = greedy(tokens({1}), 400);
    request.priority = Priority::kBackground;
    const auto background = submit(*engine, std::move(request));
    background.seen->wait_tokens(3);
    const auto real = submit(*engine, greedy(tokens({100}), 30));
    real.seen->wait_tokens(1);
    const std::size_t before = count(background.seen);
    real.seen->wait_end();
    EXPECT_LE(count(background.seen), before + 1);
    EXPECT_EQ(background.seen->wait_end().reason, FinishReason::kLength);
    EXPECT_EQ(background.seen->ids, from(2, 400)) << "and goes on where it was";
}

TEST(EngineBatch, APersonEndsAPassOfTheBackground) {
    Gate gate;
    const auto model = counting_model(4096);
    model->before_forward = [&](std::size_t n) {
        if (n > 4) gate.pass();
    };
    const auto engine = make(model, {.prefill_chunk = 16});
    auto request = greedy(from(0, 16), 2);
    request.priority = Priority::kBackground;
    const auto background = submit(*engine, std::move(request));
    gate.wait_arrived();
    const auto real = submit(*engine, greedy(from(50, 3), 1));
    gate.open();
    real.seen->wait_end();
    background.seen->wait_end();
    EXPECT_EQ(model->reads(), (std::vector<std::size_t>{16, 3, 16, 1}));
    EXPECT_EQ(background.seen->ids, from(16, 2));
}

TEST(EngineBatch, APersonTakesTheMemoryOfTheBackground) {
    for (const std::int32_t n_read : {40, 200}) {  // it answers already, or still reads
        Gate gate;
        const auto model = counting_model(256);
        model->before_forward = [&](std::size_t n) {
            if (n == 1 || n_read == 200) gate.pass();
        };
        const auto engine = make(model, {.prefill_chunk = 64, .max_draft = 0});
        auto request = greedy(from(0, n_read), 50);
        request.priority = Priority::kBackground;
        const auto background = submit(*engine, std::move(request));
        gate.wait_arrived();
        const auto real = submit(*engine, greedy(from(50, 250), 3));
        gate.open();
        EXPECT_EQ(real.seen->wait_end().reason, FinishReason::kLength);
        EXPECT_EQ(real.seen->ids, from(300, 3));
        EXPECT_EQ(background.seen->wait_end().reason, FinishReason::kLength);
        EXPECT_EQ(background.seen->ids, from(n_read, 50));
        EXPECT_GT(engine->stats().preemptions, 0U);
    }
}

TEST(EngineBatch, ReadsAheadWithoutAnswering) {
    const auto engine = make(counting_model());
    auto request = greedy(from(0, 100), 0);
    request.read_only = true;
    const auto ahead = submit(*engine, std::move(request)).seen;
    EXPECT_EQ(ahead->wait_end().reason, FinishReason::kLength);
    EXPECT_TRUE(ahead->ids.empty());
    const auto real = submit(*engine, greedy(from(0, 101), 2)).seen;
    EXPECT_EQ(real->wait_end().stats.cached_tokens, 100);
    EXPECT_EQ(real->ids, from(101, 2));
}

TEST(EngineBatch, TooLittleMemoryForAllDelaysButChangesNothing) {
    const auto model = counting_model(256);
    set_pool(*model, 512);
    const auto engine = make(model, {.max_draft = 0});
    std::vector<Submitted> all;
    for (int i = 0; i < 10; ++i) all.push_back(submit(*engine, greedy(from(i * 20, 60 + i), 150)));
    for (int i = 0; i < 10; ++i) {
        const auto& seen = all[static_cast<std::size_t>(i)].seen;
        const GenerationEnd end = seen->wait_end();
        EXPECT_EQ(end.reason, FinishReason::kLength);
        EXPECT_EQ(end.stats.generated_tokens, 150);
        EXPECT_EQ(seen->ids, from(i * 20 + 60 + i, 150)) << i;
        for (const auto& [done, total] : seen->prefill) EXPECT_LE(done, total);
    }
    EXPECT_GT(engine->stats().preemptions, 0U) << "the test would prove nothing";
    EXPECT_EQ(engine->stats().running, 0);
    EXPECT_EQ(engine->stats().waiting, 0);
}

TEST(EngineBatch, AFullContextRunsInTheSmallestPool) {
    const auto engine = make(counting_model(256));
    for (int i = 0; i < 3; ++i) {
        const auto seen = submit(*engine, greedy(from(i, 200), 0)).seen;
        EXPECT_EQ(seen->wait_end().stats.generated_tokens, 56);
        const auto again = submit(*engine, greedy(from(i, 200), 0)).seen;
        EXPECT_EQ(again->wait_end().stats.cached_tokens, 199);
        EXPECT_EQ(again->ids, seen->ids);
    }
}

TEST(EngineBatch, CancelsLeaveNothingBehind) {
    const auto model = counting_model(512);
    set_pool(*model, 1024);
    model->n_pauses = 3;
    const auto engine = make(model, {.max_queue = 2000, .prefill_chunk = 16});
    std::mt19937 rng(3);
    std::vector<Submitted> all;
    for (int i = 0; i < 1000; ++i) {
        const auto n = static_cast<std::int32_t>(1 + rng() % 300);
        all.push_back(submit(*engine, greedy(from(static_cast<std::int32_t>(rng() % 200), n), 0)));
        if (rng() % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(rng() % 300));
        engine->cancel(all[all.size() - 1 - rng() % std::min<std::size_t>(all.size(), 20)].id);
    }
    for (const Submitted& one : all) engine->cancel(one.id);
    for (const Submitted& one : all) EXPECT_NE(one.seen->wait_end().reason, FinishReason::kError);
    submit(*engine, greedy(tokens({1}), 1)).seen->wait_end();
    while (engine->stats().kv_bytes != engine->stats().kv_held_bytes) std::this_thread::yield();
    EXPECT_EQ(engine->stats().running, 0);
    for (const Submitted& one : all) EXPECT_EQ(one.seen->ends.size(), 1U);
}

/// Repeats a text of 30 tokens over and over.
std::shared_ptr<FakeModel> repeating_model() {
    return std::make_shared<FakeModel>([](std::span<const TokenId> all, std::size_t) {
        return all.size() % 50 == 49 ? TokenId{(to_int(all.back()) + 1) % 256}
                                     : all[all.size() - 30];
    });
}

TEST(EngineBatch, GuessesChangeNothingButTheNumberOfPasses) {
    const auto run = [](std::int32_t max_draft, double temperature) {
        const auto model = repeating_model();
        const auto engine = make(model, {.max_draft = max_draft});
        auto request = greedy(from(0, 40), 300);
        request.sampling.temperature = temperature;
        request.sampling.top_p = 1;
        request.sampling.seed = 11;
        request.sampling.repeat_penalty = 1.01;
        const auto seen = submit(*engine, std::move(request)).seen;
        const GenerationStats stats = seen->wait_end().stats;
        EXPECT_EQ(stats.generated_tokens, 300);
        EXPECT_LE(stats.accepted_tokens, stats.draft_tokens);
        EXPECT_EQ(stats.accepted_tokens > 0, max_draft > 0);
        EXPECT_EQ(engine->stats().accepted_tokens, extent(stats.accepted_tokens));
        return std::pair(seen->ids, model->reads().size());
    };
    for (const double temperature : {0.0, 3.0}) {
        const auto [plain, n_plain] = run(0, temperature);
        const auto [guessed, n_guessed] = run(15, temperature);
        EXPECT_EQ(guessed, plain) << temperature;
        EXPECT_TRUE(temperature > 0 || n_guessed < n_plain / 3) << n_guessed << " " << n_plain;
    }
}

TEST(EngineBatch, DrawsOfEachAnswerAreItsOwn) {
    const auto run = [](std::initializer_list<std::uint64_t> seeds) {
        const auto engine = make(repeating_model());
        std::vector<std::vector<TokenId>> texts;
        std::vector<Submitted> all;
        for (const std::uint64_t seed : seeds) {
            auto request = greedy(from(0, 40), 300);
            request.sampling = {.temperature = 3, .top_p = 1, .seed = seed};
            all.push_back(submit(*engine, std::move(request)));
        }
        for (const Submitted& one : all) one.seen->wait_end();
        for (const Submitted& one : all) texts.push_back(one.seen->ids);
        return texts;
    };
    const auto together = run({1, 2, 3, 4, 5});
    for (std::uint64_t seed = 1; seed <= 5; ++seed) EXPECT_EQ(run({seed})[0], together[seed - 1]);
    EXPECT_NE(together[0], together[1]);
}

TEST(EngineBatch, GuessesEndWhereTheAnswerEnds) {
    for (const std::int32_t max_tokens : {1, 2, 3, 50, 51}) {
        const auto engine = make(repeating_model());
        auto request = greedy(from(0, 40), max_tokens);
        const auto seen = submit(*engine, request).seen;
        seen->wait_end();
        EXPECT_EQ(std::ssize(seen->ids), max_tokens);
        request.max_tokens = 300;
        request.end_tokens = {seen->ids.back()};
        const auto stopped = submit(*engine, request).seen;
        EXPECT_EQ(stopped->wait_end().reason, FinishReason::kStop);
        const auto first = std::ranges::find(seen->ids, seen->ids.back());
        EXPECT_EQ(stopped->ids, std::vector(seen->ids.begin(), first));
    }
    const auto model = repeating_model();
    model->mutable_plan().context_length = 128;
    const auto engine = make(model);
    const auto seen = submit(*engine, greedy(from(0, 40), 0)).seen;
    EXPECT_EQ(seen->wait_end().stats.generated_tokens, 88);
}

}  // namespace
}  // namespace notso::ml
