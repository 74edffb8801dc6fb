// The engine with a guide: only what it allows comes, guesses and lost memory change nothing, and
// it hears of every token once.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <utility>

#include "ml/runtime/engine.hpp"
#include "ml/runtime/engine_harness.hpp"

namespace notso::ml {
namespace {

using namespace testing;

/// Asks a function, and remembers what it heard.
class ScriptedGuide final : public TokenGuide {
  public:
    using Next = std::function<Allowed(ScriptedGuide&, std::int32_t n_left)>;
    explicit ScriptedGuide(Next next) : next_(std::move(next)) {}

    Allowed next(std::int32_t n_left) override {
        n_left_asked.push_back(n_left);
        return next_(*this, n_left);
    }
    void accept(TokenId id) override { heard.push_back(id); }

    Allowed only(std::initializer_list<std::int32_t> ids) {
        mask_.assign(5, 0);
        for (const std::int32_t id : ids) add(id);
        return Allowed::set(mask_);
    }
    /// The bytes for which it holds.
    Allowed those(const std::function<bool(std::int32_t)>& which) {
        mask_.assign(5, 0);
        for (std::int32_t id = 0; id < 256; ++id)
            if (which(id)) add(id);
        return Allowed::set(mask_);
    }

    std::vector<TokenId> heard;
    std::vector<std::int32_t> n_left_asked;

  private:
    void add(std::int32_t id) { mask_[extent(id) / 64] |= std::uint64_t{1} << (id % 64); }
    static std::size_t extent(std::int32_t id) { return static_cast<std::size_t>(id); }

    Next next_;
    std::vector<std::uint64_t> mask_;
};

std::shared_ptr<ScriptedGuide> guide(ScriptedGuide::Next next) {
    return std::make_shared<ScriptedGuide>(std::move(next));
}

GenerationRequest guided(std::shared_ptr<TokenGuide> by, std::int32_t max_tokens) {
    GenerationRequest request = greedy(counting(40), max_tokens);
    request.end_tokens = {kImEnd};
    request.guide = std::move(by);
    return request;
}

TEST(EngineGuide, OnlyWhatIsAllowedComes) {
    const auto engine = make(counting_model());
    const auto by = guide([](ScriptedGuide& self, std::int32_t) { return self.only({7, 200}); });
    auto request = guided(by, 60);
    request.sampling.temperature = 5;
    request.sampling.top_p = 1;
    const auto seen = submit(*engine, std::move(request)).seen;
    EXPECT_EQ(seen->wait_end().reason, FinishReason::kLength);
    EXPECT_EQ(
        std::ranges::count(seen->ids, TokenId{7}) + std::ranges::count(seen->ids, TokenId{200}),
        60);
    EXPECT_GT(std::ranges::count(seen->ids, TokenId{7}), 5);
    EXPECT_GT(std::ranges::count(seen->ids, TokenId{200}), 5);
    EXPECT_EQ(by->heard, seen->ids);
}

TEST(EngineGuide, GuessesChangeNothing) {
    const auto run = [](std::int32_t max_draft, double temperature, std::uint64_t seed) {
        // Repeats a text of 30 tokens, and the guide allows some of it only.
        const auto model = std::make_shared<FakeModel>(
            [](std::span<const TokenId> all, std::size_t) { return all[all.size() - 30]; });
        const auto engine = make(model, {.max_draft = max_draft});
        const auto by = guide([](ScriptedGuide& self, std::int32_t) {
            const std::int32_t last = self.heard.empty() ? 0 : to_int(self.heard.back());
            return self.those([last](std::int32_t id) { return (id + last) % 3 != 0; });
        });
        auto request = guided(by, 300);
        request.sampling.temperature = static_cast<float>(temperature);
        request.sampling.top_p = 1;
        request.sampling.seed = seed;
        request.sampling.frequency_penalty = 0.01F;
        const auto seen = submit(*engine, std::move(request)).seen;
        const GenerationStats stats = seen->wait_end().stats;
        EXPECT_EQ(stats.accepted_tokens > 0, max_draft > 0) << temperature;
        EXPECT_EQ(by->heard, seen->ids);
        for (std::size_t i = 1; i < seen->ids.size(); ++i)
            EXPECT_NE((to_int(seen->ids[i]) + to_int(seen->ids[i - 1])) % 3, 0);
        return seen->ids;
    };
    for (const double temperature : {0.0, 3.0}) {
        const auto plain = run(0, temperature, 11);
        EXPECT_EQ(plain.size(), 300U);
        EXPECT_EQ(run(15, temperature, 11), plain) << temperature;
        EXPECT_EQ(run(15, temperature, 12) == plain, temperature == 0) << "the seed decides";
    }
}

TEST(EngineGuide, ForcesTokensAndEnds) {
    const auto engine = make(counting_model());
    const auto by = guide([](ScriptedGuide& self, std::int32_t) {
        if (self.heard.size() == 3) return Allowed::end();
        return self.heard.size() == 1 ? Allowed::force(TokenId{99}) : Allowed::anything();
    });
    auto request = guided(by, 50);
    request.logprobs = true;
    const auto seen = submit(*engine, std::move(request)).seen;
    EXPECT_EQ(seen->wait_end().reason, FinishReason::kStop);
    EXPECT_EQ(seen->ids, tokens({40, 99, 100}));
    EXPECT_LT(*seen->logprobs[1], -15) << "of the unmodified distribution";
    EXPECT_EQ(by->n_left_asked, (std::vector<std::int32_t>{50, 49, 48, 47}));
    const auto forced_end =
        guide([](ScriptedGuide&, std::int32_t) { return Allowed::force(kImEnd); });
    const auto ended = submit(*engine, guided(forced_end, 50)).seen;
    EXPECT_EQ(ended->wait_end().reason, FinishReason::kStop);
    EXPECT_TRUE(forced_end->heard.empty());
}

TEST(EngineGuide, ACompleteTextIsNotCutByTheLimit) {
    const auto engine = make(counting_model());
    for (const bool complete : {true, false}) {
        const auto by = guide([complete](ScriptedGuide&, std::int32_t n_left) {
            return n_left == 0 && complete ? Allowed::end() : Allowed::anything();
        });
        const auto seen = submit(*engine, guided(by, 4)).seen;
        EXPECT_EQ(seen->wait_end().reason, complete ? FinishReason::kStop : FinishReason::kLength);
        EXPECT_EQ(seen->ids.size(), 4U);
    }
}

TEST(EngineGuide, NothingToChooseFromIsAnError) {
    const auto engine = make(counting_model());
    using Make = Allowed (*)(ScriptedGuide&, std::int32_t);
    const std::vector<Make> wrong = {
        [](ScriptedGuide&, std::int32_t) { return Allowed::dead_end(); },
        [](ScriptedGuide&, std::int32_t) { return Allowed::set({}); },
        [](ScriptedGuide& self, std::int32_t) { return self.only({}); },
        [](ScriptedGuide&, std::int32_t) { return Allowed::force(TokenId{5000}); },
        [](ScriptedGuide&, std::int32_t) { return Allowed::force(TokenId{-1}); }};
    for (const Make each : wrong) {
        const auto seen = submit(*engine, guided(guide(each), 4)).seen;
        EXPECT_EQ(seen->wait_end().reason, FinishReason::kError);
        EXPECT_TRUE(seen->ids.empty());
    }
}

TEST(EngineGuide, HearsOfEveryTokenOnceWhenMemoryIsLost) {
    const auto model = counting_model(256);
    model->mutable_plan().kv_budget_bytes = 512 * model->memory().kv_bytes_per_token;
    const auto engine = make(model, {.max_draft = 0});
    std::vector<std::shared_ptr<ScriptedGuide>> guides;
    std::vector<Submitted> all;
    for (std::int32_t i = 0; i < 10; ++i) {
        guides.push_back(guide([](ScriptedGuide& self, std::int32_t) {
            const auto n = static_cast<std::int32_t>(self.heard.size());
            return self.only({n % 7, n % 7 + 100});
        }));
        auto request = greedy(counting(60 + i), 150);
        request.guide = guides.back();
        all.push_back(submit(*engine, std::move(request)));
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].seen->wait_end().reason, FinishReason::kLength);
        EXPECT_EQ(guides[i]->heard, all[i].seen->ids);
        for (std::int32_t n = 0; n < 150; ++n)
            EXPECT_EQ(to_int(all[i].seen->ids[static_cast<std::size_t>(n)]) % 100, n % 7);
    }
    EXPECT_GT(engine->stats().preemptions, 0U) << "the test would prove nothing";
}

TEST(EngineGuide, MayChangeItsMindFromAnotherThread) {
    const auto model = counting_model(4096);
    const auto engine = make(model, {.max_draft = 0});
    std::atomic<bool> enough = false;
    const auto by = guide([&enough](ScriptedGuide&, std::int32_t) {
        return enough ? Allowed::end() : Allowed::anything();
    });
    const auto seen = submit(*engine, guided(by, 0)).seen;
    seen->wait_tokens(3);
    enough = true;
    EXPECT_EQ(seen->wait_end().reason, FinishReason::kStop);
    EXPECT_LT(seen->ids.size(), 4000U);
}

}  // namespace
}  // namespace notso::ml
