// For tests of the engine: a sink that records, a gate that holds the model, and short ways to make
// requests.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "ml/runtime/engine.hpp"
#include "ml/runtime/fake_model.hpp"

namespace notso::ml::testing {

inline std::vector<TokenId> tokens(std::initializer_list<std::int32_t> ids) {
    std::vector<TokenId> out;
    for (const auto id : ids) out.push_back(TokenId{id});
    return out;
}

inline std::vector<TokenId> counting(std::int32_t n) {
    std::vector<TokenId> out;
    for (std::int32_t i = 0; i < n; ++i) out.push_back(TokenId{i % 200});
    return out;
}

/// Counts up from the last token.
inline std::shared_ptr<FakeModel> counting_model(std::int32_t context_length = 1024) {
    auto model = std::make_shared<FakeModel>([](std::span<const TokenId> all, std::size_t) {
        return TokenId{(to_int(all.back()) + 1) % 256};
    });
    model->mutable_plan().context_length = context_length;
    return model;
}

/// What one request's sink saw; outlives the sink. It is waited for without a deadline, as at gates:
/// ctest ends what hangs, and a deadline would let a test read what is still being written.
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
        changed.wait(lock, [this] { return !ends.empty(); });
        return ends.front();
    }
    void wait_tokens(std::size_t n) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return ids.size() >= n || !ends.empty(); });
    }
};

class RecordingSink final : public TokenSink {
  public:
    explicit RecordingSink(std::shared_ptr<Seen> seen) : seen_(std::move(seen)) {}
    ~RecordingSink() override {
        const std::lock_guard lock(seen_->mutex);
        seen_->sink_destroyed = true;
    }
    void on_queued(std::int32_t position, std::chrono::milliseconds) override {
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

inline GenerationRequest greedy(std::vector<TokenId> prompt, std::int32_t max_tokens = 5) {
    GenerationRequest request;
    request.prompt = std::move(prompt);
    request.max_tokens = max_tokens;
    request.sampling.temperature = 0;
    return request;
}

inline std::unique_ptr<Engine> make(std::shared_ptr<const Model> model,
                                    const EngineOptions& options = {}) {
    return Engine::create(std::move(model), options).value();
}

struct Submitted {
    std::shared_ptr<Seen> seen = std::make_shared<Seen>();
    RequestId id{};
};

inline Submitted submit(Engine& engine, GenerationRequest request) {
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
        changed_.wait(lock, [this] { return open_; });
    }
    void wait_arrived(int n = 1) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return arrived_ >= n; });
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

}  // namespace notso::ml::testing
