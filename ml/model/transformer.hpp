// Transformer: the forward pass of a decoder-only model with grouped-query attention, rotary
// positions and a gated feed-forward layer. Knows weights and positions; knows nothing of files,
// text or requests.
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <span>

#include "base/result.hpp"
#include "ml/kernels/table.hpp"
#include "ml/model/chunk.hpp"
#include "ml/model/config.hpp"
#include "ml/model/products.hpp"
#include "ml/model/weights.hpp"
#include "ml/model/workspace.hpp"
#include "ml/runtime/kv_cache.hpp"
#include "ml/runtime/thread_pool.hpp"

namespace notso::ml {

/// One thread at a time: it owns the buffers and the threads of one computation, and of another
/// that runs between two layers of it.
///
/// Numerics: f32 activations, of 16 bits in products of packed weights; weights as the file has
/// them, keys and values as the cache stores them. What a token gets depends on its own history
/// and precision only: not on how the tokens are cut into calls, on which sequences run beside it,
/// nor on the number of threads. In Precision::kFast, activations have 8 bits in all products but
/// those that make values and logits, which suffer most and cost least.
class Transformer {
  public:
    Transformer(ModelSpec spec,
                Weights weights,
                const kernels::KernelTable& kernels,
                std::int32_t n_threads);
    ~Transformer();
    Transformer(Transformer&&) = delete;

    const ModelConfig& config() const noexcept { return spec_.config; }

    /// See Model::forward.
    Result<> forward(std::span<const Segment> segments, const BetweenLayers& between) const;
    /// See Model::be_quiet.
    void be_quiet(bool quiet) const noexcept;
    /// See Model::run_tasks.
    void run_tasks(std::int32_t n_tasks,
                   const std::function<void(std::int32_t)>& task) const noexcept;

  private:
    /// What one computation works on.
    struct Lane {
        Lane(const ModelConfig& config, const kernels::KernelTable& kernels, ThreadPool& pool);

        Workspace work;
        Chunk chunk;
        Products products;
    };
    class LaneTurn;

    /// Tells each buffer of tokens what will read it.
    void note_readers(Workspace& work) const;
    Result<> check(const Segment& segment) const;
    /// False when `between` ended it.
    bool run_chunk(Chunk& chunk, const BetweenLayers& between) const;
    void embed(const Chunk& chunk) const noexcept;
    void run_layer(std::int32_t layer, const Chunk& chunk) const noexcept;
    /// Calls f(neighbouring tokens) for tasks of the pool that make integers of n tokens: something
    /// for every thread. Few tokens go tile by tile: integers of a tile share cache lines.
    template <class F>
    void for_each_tokens(std::int32_t n, const F& f) const noexcept {
        if (n == 0) return;
        const kernels::TileLimits tiles = work().h.tiles;
        const std::int32_t per_task = n <= tiles.few
                                          ? divide_up(n, count_tiles(n, tiles))
                                          : std::clamp(divide_up(n, pool_->size()), 4, 16);
        pool_->run(divide_up(n, per_task), [&](std::int32_t task, std::int32_t) {
            const std::int32_t first = task * per_task;
            f(IndexRange{first, std::min(per_task, n - first)});
        });
    }
    /// Norms the first runs.size() rows of x into the workspace's h, for products with `runs` and,
    /// as to its fast tokens, with `more_runs`.
    void norm(const float* weight,
              const TokenRuns& runs,
              const TokenRuns& more_runs) const noexcept;
    void gated_ffn(const LayerWeights& weights, const TokenRuns& runs) const noexcept;
    void write_logits(const Chunk& chunk) const noexcept;

    // transformer_attention.cpp
    void project_qkv(std::int32_t layer, const Chunk& chunk) const noexcept;
    /// Norms one head of q or k in place, rows from `first`; does nothing without a weight.
    void norm_head(const Product& product, std::int32_t first, const float* weight) const noexcept;
    void rotate(float* head, std::size_t stride, std::int32_t n_tokens) const noexcept;
    void store_kv(std::int32_t layer, std::int32_t kv_head, const ChunkPart& part) const noexcept;
    /// Query heads of one KV head that a task takes.
    std::int32_t heads_per_task(const Chunk& chunk) const noexcept;
    void attend(std::int32_t layer, const Chunk& chunk) const noexcept;
    struct HeadGroup;
    void attend_block(const AttentionBlock& block,
                      const HeadGroup& heads,
                      const TokenRuns& runs,
                      std::int32_t thread) const noexcept;
    const kernels::KvKernels& kv_kernels(const KvCache& cache) const noexcept;

    Workspace& work() const noexcept { return lanes_[n_running_ - 1]->work; }
    const Products& products() const noexcept { return lanes_[n_running_ - 1]->products; }

    ModelSpec spec_;
    Weights weights_;
    const kernels::KernelTable& kernels_;
    const kernels::KvKernels* kv_kernels_ = nullptr;  // by KvType
    RopeTable rope_;
    std::unique_ptr<ThreadPool> pool_;
    std::array<std::unique_ptr<Lane>, 2> lanes_;
    mutable std::size_t n_running_ = 0;  // computations: the last one's lane is in use
};

}  // namespace notso::ml
