// The weights of a model, typed and checked, and how they are found in a file and brought into
// memory.
#pragma once

#include <array>
#include <functional>
#include <stop_token>
#include <vector>

#include "base/result.hpp"
#include "ml/gguf/file.hpp"
#include "ml/kernels/table.hpp"
#include "ml/model/config.hpp"
#include "ml/model/weight_memory.hpp"
#include "ml/quant/type_table.hpp"

namespace notso::ml {

/// A weight matrix [n_rows, n_cols] in blocks, the kernel that multiplies with it, and what is
/// added to its product. Either packed in panels of sixteen rows (ml/quant/pack.hpp), or row-major.
struct Matrix {
    const quant::TypeTraits* type = nullptr;
    /// Where the matrix is packed, by Precision.
    std::array<kernels::PackedMatmul, kPrecisions> packed = {};
    kernels::Matmul matmul = nullptr;  ///< Otherwise.
    std::int32_t n_rows = 0;
    std::int32_t n_cols = 0;
    std::size_t row_bytes = 0;
    const std::byte* data = nullptr;
    const float* bias = nullptr;  ///< [n_rows], or null

    bool is_packed() const noexcept { return packed[0] != nullptr; }
    /// Start of a row; where packed, of a panel, and `index` is a multiple of sixteen.
    const std::byte* row(std::int32_t index) const noexcept {
        return data + static_cast<std::size_t>(index) * row_bytes;
    }
    /// @param scratch  [row_bytes]  @param out  [n_cols]
    void decode_row(std::int32_t index, std::byte* scratch, float* out) const noexcept;
};

struct LayerWeights {
    const float* attn_norm = nullptr;  ///< [n_embd]
    Matrix attn_q;                     ///< [n_heads * head_dim, n_embd], rows in half-split order
    Matrix attn_k;  ///< [n_kv_heads * head_dim, n_embd], rows in half-split order
    Matrix attn_v;  ///< [n_kv_heads * head_dim, n_embd]
    const float* attn_q_norm = nullptr;  ///< [head_dim], of every query head; or null
    const float* attn_k_norm = nullptr;  ///< [head_dim], of every key head; or null
    Matrix attn_output;                  ///< [n_embd, n_heads * head_dim]
    const float* ffn_norm = nullptr;     ///< [n_embd]
    Matrix ffn_gate;                     ///< [n_ff, n_embd]
    Matrix ffn_up;                       ///< [n_ff, n_embd]
    Matrix ffn_down;                     ///< [n_embd, n_ff]
};

struct Weights {
    Matrix token_embd;  ///< [n_vocab, n_embd]
    std::vector<LayerWeights> layers;
    const float* output_norm = nullptr;  ///< [n_embd]
    Matrix output;  ///< [n_vocab, n_embd]; the embedding itself where the file has none
    const float* rope_divisors = nullptr;  ///< [n_rot / 2], or null
    WeightMemory memory;                   ///< Everything above points into it.
};

struct WeightOptions {
    const kernels::KernelTable* kernels = nullptr;
    std::int32_t n_threads = 1;  ///< ≥ 1
    std::function<void(double)> on_progress = {};
    std::stop_token stop = {};
};

/// Checks every tensor's name, shape and type against the model's shape, then copies all weights
/// into memory. Whether they fit there is MemoryPlan's business.
/// @errors kCorruptData for a missing tensor or a wrong shape; kUnsupported for a block type that
/// does not run and
///         for a tensor that the architecture does not know; kOutOfMemory when the system refuses;
///         kCancelled; kIo.
Result<Weights> load_weights(const gguf::File& file,
                             const ModelSpec& spec,
                             const WeightOptions& options);

}  // namespace notso::ml
