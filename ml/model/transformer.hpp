// Transformer: the forward pass of a decoder-only model with grouped-query attention, rotary
// positions and a gated feed-forward layer. Knows weights and positions; knows nothing of files,
// text or requests.
#pragma once

#include <memory>
#include <span>

#include "base/result.hpp"
#include "ml/kernels/table.hpp"
#include "ml/model/config.hpp"
#include "ml/model/weights.hpp"
#include "ml/runtime/kv_cache.hpp"
#include "ml/runtime/thread_pool.hpp"
#include "ml/tokenizer/token_id.hpp"

namespace notso::ml {

/// Not reentrant: it owns the buffers and the threads of one computation.
///
/// Numerics: f32 activations, of 16 bits in products of packed weights; weights as the file has
/// them, keys and values as the cache stores them. What a token gets depends on its own history
/// only: not on how the tokens are cut into calls, nor on the number of threads. In
/// Precision::kFast, activations have 8 bits for the products after attention and of the
/// feed-forward layer: queries, keys, values and logits suffer most, and cost least.
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
    Result<> forward(std::span<const TokenId> tokens,
                     KvCache& cache,
                     std::span<float> logits,
                     Precision precision) const;

  private:
    struct Workspace;
    struct Chunk;

    Result<> check(std::span<const TokenId> tokens,
                   const KvCache& cache,
                   std::span<float> logits) const;
    void run_chunk(const Chunk& chunk) const noexcept;
    void embed(const Chunk& chunk) const noexcept;
    void run_layer(std::int32_t layer, const Chunk& chunk) const noexcept;
    void project_qkv(std::int32_t layer, const Chunk& chunk) const noexcept;
    void store_kv(std::int32_t layer, std::int32_t kv_head, const Chunk& chunk) const noexcept;
    struct Product;
    /// Norms one head of q or k in place, rows from `first`; does nothing without a weight.
    void norm_head(const Product& product, std::int32_t first, const float* weight) const noexcept;
    const kernels::KvKernels& kv_kernels(const Chunk& chunk) const noexcept;
    void rotate(float* head, std::size_t stride, const Chunk& chunk) const noexcept;
    void attend(std::int32_t layer, const Chunk& chunk) const noexcept;
    void gated_ffn(const LayerWeights& weights, const Chunk& chunk) const noexcept;
    void write_logits(const Chunk& chunk) const noexcept;

    /// Norms n_tokens rows of x into the workspace's h.
    void norm(const float* x,
              const float* weight,
              std::int32_t n_tokens,
              Precision precision) const noexcept;
    struct Batch;
    /// Makes integers of n columns of a token, from `first` on, where a packed matrix wants them.
    void quantize(const Batch& batch,
                  std::int32_t token,
                  std::int32_t first,
                  std::int32_t n) const noexcept;
    void multiply(const Product& product) const noexcept;
    void multiply_rows(const Product& product,
                       std::int32_t first,
                       std::int32_t n,
                       std::int32_t thread) const noexcept;
    void multiply_unpacked(const Product& product,
                           std::int32_t first,
                           std::int32_t n,
                           std::int32_t thread) const noexcept;
    std::int32_t rows_per_task(std::int32_t n_rows) const noexcept;

    ModelSpec spec_;
    Weights weights_;
    const kernels::KernelTable& kernels_;
    const kernels::KvKernels* kv_kernels_ = nullptr;  // by KvType
    RopeTable rope_;
    std::unique_ptr<Workspace> work_;
    std::unique_ptr<ThreadPool> pool_;
};

}  // namespace notso::ml
