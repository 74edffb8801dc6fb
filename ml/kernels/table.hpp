// KernelTable: what one instruction set can do. Chosen once, by ml/device; every entry is set.
// Plain types only: files compiled for one instruction set include this, and the standard library's
// inline code compiled for it would leak into the rest of the program.
//
// Numerics: weights are decoded exactly as the file format says. Products of packed weights take
// activations of 16 or 8 bits (packed.hpp), all else is f32. A result depends only on its own
// weight row and its own token: never on the batch, on the thread count, or on prefill or decode.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ml/kernels/kv_tile.hpp"
#include "ml/kernels/packed.hpp"

namespace notso::ml::kernels {

/// Columns of a weight matrix, and head dimensions, must be a multiple of this for the fast
/// kernels.
inline constexpr std::int32_t kColumnMultiple = 32;
inline constexpr std::int32_t kHeadDimMultiple = 16;

/// What a product does with the old content of `out`.
enum class Store { kReplace, kAdd };

/// Decodes a row of `n` weights (ml/quant/type_table.hpp).
using DecodeRow = void (*)(const std::byte* row, float* out, std::size_t n) noexcept;

/// A part of a weight matrix, times some tokens.
struct MatmulArgs {
    const std::byte* weights;  ///< First row: [n_rows, n_cols] in blocks, row-major.
    std::size_t row_bytes;
    DecodeRow decode;  ///< Plain decoder of the block type.
    std::int32_t n_rows;
    std::int32_t
        n_cols;  ///< Multiple of the block and of kColumnMultiple (except for the generic kernels).
    std::int32_t n_tokens;  ///< ≤ kMatmulTokens
    Store store;
    const float* x;        ///< [n_tokens, n_cols]
    std::size_t x_stride;  ///< Floats from one token to the next.
    float* out;            ///< [n_tokens, n_rows]
    std::size_t out_stride;
    float* scratch;  ///< matmul_scratch_floats(n_cols), 64-byte aligned, of the calling thread.
};
using Matmul = void (*)(const MatmulArgs& args) noexcept;

/// The query heads of some tokens against one KV head.
struct AttentionArgs {
    const float* q;         ///< [n_tokens, n_heads, head_dim]
    std::size_t q_stride;   ///< Floats from one token to the next.
    std::int32_t n_tokens;  ///< ≤ kAttentionTokens
    std::int32_t n_heads;  ///< Query heads that share this KV head, ≤ kAttentionQueries / n_tokens.
    std::int32_t head_dim;
    std::int32_t first_pos;  ///< Of the first token; token t sees keys 0 … first_pos + t.
    float scale;             ///< Of q · k.
    /// Where the tiles are that hold the keys and values of kAttentionKeys tokens each.
    const std::byte* const* tiles;
    std::size_t keys;    ///< Bytes from there to the keys, in the kernel's KvType (kv_tile.hpp).
    std::size_t values;  ///< The same for [kAttentionKeys, head_dim] values.
    float* out;          ///< [n_tokens, n_heads, head_dim]
    std::size_t out_stride;
    float*
        scratch;  ///< attention_scratch_floats(head_dim), 64-byte aligned, of the calling thread.
    bool into_l2 = false;  ///< As PackedMatmulArgs::into_l2, of a token alone.
};
using Attention = void (*)(const AttentionArgs& args) noexcept;

/// What a set of kernels does with keys and values of one KvType.
struct KvKernels {
    /// Makes the row of one head's key or value, [n] f32, as the cache has it.
    void (*store)(const float* row, std::byte* out, std::int32_t n) noexcept;
    /// By Precision of the tokens. That of fast ones may round all that it multiplies to bf16.
    Attention attention[kPrecisions];
};

inline constexpr std::int32_t kMatmulTokens = 256;  ///< Tokens of one call.
inline constexpr std::int32_t kPanelRows = 12;  ///< Weight rows decoded at once for many tokens,
inline constexpr std::int32_t kPanelCols =
    640;  ///< this many columns of them: what the L1 cache holds.
inline constexpr std::int32_t kAttentionQueries =
    32;  ///< Queries (tokens × heads) of one attention call.
inline constexpr std::int32_t kAttentionKeys =
    kKvTileTokens;  ///< Keys of one step of the online softmax.

/// A panel (of whole rows where a type only has a plain decoder) and the sixteen partial sums of
/// every product.
constexpr std::size_t matmul_scratch_floats(std::int32_t n_cols) noexcept {
    return kPanelRows * (static_cast<std::size_t>(n_cols) + 16 * kMatmulTokens);
}
/// One tile of keys or values, the queries, scores, sums and accumulators.
constexpr std::size_t attention_scratch_floats(std::int32_t head_dim) noexcept {
    const auto dim = static_cast<std::size_t>(head_dim);
    return dim * (2 * kAttentionKeys + 2 * kAttentionQueries) +
           kAttentionQueries * (kAttentionKeys + 32);
}

struct KernelTable {
    const char* name;                   ///< "generic", "avx2", "avx512", "amx"
    Matmul matmul_by_type[kTypeSlots];  ///< By TensorType number; null: matmul_any.
    Matmul matmul_any;                  ///< Any block type, through its plain decoder.
    TileLimits tiles;                   ///< Of QuantizedTokens.
    TileLimits tiles_of_short_blocks;   ///< The same where a packed type of 32 columns reads them.
    PackedKernels packed[kPrecisions];  ///< By Precision.
    bool into_l2;            ///< What suits the CPU: into_l2 of PackedMatmulArgs and AttentionArgs.
    KvKernels kv[kKvTypes];  ///< By KvType.
    /// out = x / sqrt(mean(x²) + eps) · weight, all [n].
    void (*rms_norm)(
        const float* x, const float* weight, float* out, std::int32_t n, float eps) noexcept;
    /// Rotates one head in place, half-split pairs (i, i + n_pairs). cos_sin: [n_pairs] cosines,
    /// then sines.
    void (*rope)(float* head, const float* cos_sin, std::int32_t n_pairs) noexcept;
    /// gate = silu(gate) · up, [n].
    void (*silu_mul)(float* gate, const float* up, std::int32_t n) noexcept;
    /// x = softmax(x), [n], n ≥ 1.
    void (*softmax)(float* x, std::int32_t n) noexcept;
    /// Multiplies and adds bytes as fast as this instruction set can; returns how many.
    /// Proportional to n_steps. For measuring the machine; null where there is nothing faster than
    /// plain code.
    std::int64_t (*multiply_bytes)(std::int64_t n_steps) noexcept;
    /// Reads n_streams neighbouring parts of n bytes side by side, n a multiple of 64, p aligned to
    /// 64; returns the sum of their words. For measuring the machine.
    std::uint64_t (*read_memory)(const std::byte* p, std::size_t n, std::size_t n_streams) noexcept;
};

}  // namespace notso::ml::kernels
