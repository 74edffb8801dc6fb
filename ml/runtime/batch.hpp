// Batch: the requests that run together. Each step reads a piece of prompts, with answers going on
// between its layers, or the next token of all answers. Owns keys and values: running requests use
// pages, the prefix tree keeps what they leave, and who needs pages most recently loses least.
// Private to the engine; used by its thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "ml/model/model.hpp"
#include "ml/runtime/engine_job.hpp"
#include "ml/runtime/kv_pool.hpp"
#include "ml/runtime/pace.hpp"
#include "ml/runtime/prefix_tree.hpp"

namespace notso::ml {

/// What a batch tells its owner; called within step() and admit().
struct BatchEvents {
    std::function<void(const JobPtr&)>
        on_ended;  ///< Its place is free; its sink's last call follows.
    std::function<void(const JobPtr&)> on_preempted;  ///< It gave its pages to others and waits.
    /// Time to look after other things, between layers. True when a request that must not wait for
    /// background work is there.
    std::function<bool()> on_pause;
    /// A token was delivered.
    std::function<void(const Job&)> on_token;
};

class Batch {
  public:
    /// @errors As KvPool::create.
    static Result<std::unique_ptr<Batch>> create(const Model& model,
                                                 const EngineOptions& options,
                                                 BatchEvents events);

    /// Longest prompt and answer together.
    std::int32_t context_length() const noexcept { return context_length_; }
    bool empty() const noexcept { return jobs_.empty(); }
    /// Whether there is a place for another one of this kind and user.
    bool has_place(const Job& job) const;
    /// Begins with a request; false when its prompt does not fit beside the others now.
    bool admit(const JobPtr& job);
    /// Ends those that were cancelled, then does a piece of work.
    void step();
    /// Ends all of them.
    void end_all(FinishReason reason, const std::optional<Error>& error);

    std::uint64_t used_bytes() const noexcept;
    std::uint64_t held_bytes() const noexcept;
    std::uint64_t budget_bytes() const noexcept;

  private:
    /// Part of a prompt in a pass.
    struct Piece {
        JobPtr job;
        std::int32_t n_tokens;
        Precision precision;
        bool is_last;  ///< Of the prompt.
    };
    /// The next token of a text.
    struct Turn {
        JobPtr job;
        std::size_t row = 0;  ///< Of the job's logits.
        Allowed allowed = {};
        Result<TokenId> token = TokenId{};
    };

    Batch(const Model& model,
          const EngineOptions& options,
          BatchEvents events,
          std::unique_ptr<KvPool> pool);

    // batch.cpp: coming and going
    void end(const JobPtr& job, FinishReason reason, std::optional<Error> error = {});
    void end_cancelled();
    void resume(Job& job);
    void keep(Job& job, std::int32_t n_tokens);
    void leave_pages(Job& job);
    bool has_foreground() const;
    std::vector<JobPtr> active(bool answering) const;
    bool reserve(Job& job, std::int32_t n_tokens);
    bool make_room(std::ptrdiff_t n_pages);
    JobPtr victim(const Job& asking) const;
    void preempt(const JobPtr& job);
    bool preempt_background();
    Result<> forward(std::span<const Segment> segments, const BetweenLayers& between) const;

    // batch_prefill.cpp
    void prefill(const std::vector<JobPtr>& reading);
    std::vector<Piece> plan(const std::vector<JobPtr>& reading);
    static void share_out(std::span<Piece> pieces, std::int32_t n_tokens);
    void catch_up(Job& job);
    Piece next_piece(const JobPtr& job) const;
    Result<> read(std::span<const Piece> pieces);
    bool between_layers(std::span<const Piece> pieces);
    void finish_pass(std::span<const Piece> pieces, const Result<>& done);
    void finish_piece(const Piece& piece);

    // batch_decode.cpp
    void decode(const std::vector<JobPtr>& answering);
    std::vector<JobPtr> prepare(const std::vector<JobPtr>& answering);
    void guess(Job& job, std::int32_t n_beside, std::int32_t n_others);
    void choose_tokens(std::span<const JobPtr> jobs);
    std::span<const float> row_of(const Turn& turn) const;
    bool take(const Turn& turn);
    void learn(Job& job, std::size_t n_right);
    /// The reason when it was the last one.
    Result<std::optional<FinishReason>> add(Job& job, const Turn& turn);
    std::int32_t n_left(const Job& job) const;
    SinkVerdict deliver(Job& job, TokenId id, std::span<const float> logits);

    const Model& model_;
    const EngineOptions options_;
    const BatchEvents events_;
    const std::int32_t context_length_;
    const std::size_t n_vocab_;
    std::unique_ptr<KvPool> pool_;
    PrefixTree tree_;
    Pace pace_;
    std::vector<JobPtr> jobs_;  // by admission
    SteadyClock::time_point last_decode_{};
    std::chrono::nanoseconds decoding_{};  // time of decode steps so far
};

}  // namespace notso::ml
