// Products of packed weights (ml/quant/pack.hpp) with activations as integers, of 16 bits (exact)
// or of 8 (fast). Plain types only, as table.hpp.
//
// Numerics: 32 columns of a token share an f32 scale: greatest magnitude / 32767 in exact products.
// In fast ones it is a whole share, 1 to 127, of the scale of 256 columns, greatest magnitude /
// 127². Products of integers are summed exactly, group of columns by group; each group is then
// scaled and added to the row's f32 sum in ascending order, with fused multiply-adds. Fast products
// go two steps further (FastSums in simd/packed_blocks.hpp). Q4_K has whole scales too: 256 columns
// make one sum, which is scaled and added, then their mins, rounded to bf16 like the sums of tokens
// that they take. Two groups of Q6_K share a token's scale: it takes both at once. Every
// instruction set therefore gives the same bits, for one token or for many. But for fast products
// of AMX: tokens and weights are rounded to bf16, and tiles add up 256 columns; these too have the
// same bits for one token or for many.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ml/kernels/precision.hpp"

namespace notso::ml::kernels {

enum class Store;

/// Columns of a token that share a scale.
inline constexpr std::int32_t kTokenGroup = 32;
/// Columns of a fast token whose scales are whole shares of one.
inline constexpr std::int32_t kTokenBlock = 256;
/// Greatest share, and greatest integer of a fast token: with weights of 4 bits and scales of 6,
/// the sum of a block is below 2^31.
inline constexpr std::int32_t kGreatestShare = 127;
/// Columns of a token with a start of their own, and what a start is times the sum of their
/// integers: weights are multiplied as they are stored, without a sign, so sums begin at minus
/// what was added to each weight, 8 or a multiple.
inline constexpr std::int32_t kStartColumns = 16;
template <Precision kPrecision>
inline constexpr std::int32_t kStartFactor = kPrecision == Precision::kExact ? -32 : -8;

/// Neighbouring tokens that are multiplied together.
struct TokenTile {
    std::int32_t first;
    std::int32_t size;
};

/// How many tokens a set of kernels multiplies together.
struct TileLimits {
    std::int32_t few;  ///< So many tokens, or fewer, are multiplied with one panel at a time.
    std::int32_t most_of_few;  ///< The most of a tile then.
    std::int32_t most;         ///< And where there are more tokens.
};

/// Tile number `index` of n tokens, cut into as few tiles as there can be, of about the same size.
constexpr std::int32_t count_tiles(std::int32_t n, TileLimits limits) noexcept {
    const std::int32_t most = n <= limits.few ? limits.most_of_few : limits.most;
    return (n + most - 1) / most;
}
constexpr TokenTile tile_at(std::int32_t index, std::int32_t n, TileLimits limits) noexcept {
    const std::int32_t n_tiles = count_tiles(n, limits);
    const std::int32_t size = n / n_tiles;
    const std::int32_t n_larger = n % n_tiles;  // the first ones have one token more
    if (index < n_larger) return {index * (size + 1), size + 1};
    return {index * size + n_larger, size};
}
constexpr TokenTile tile_of_token(std::int32_t token, std::int32_t n, TileLimits limits) noexcept {
    const std::int32_t n_tiles = count_tiles(n, limits);
    const std::int32_t size = n / n_tiles;
    const std::int32_t in_larger = n % n_tiles * (size + 1);
    return tile_at(
        token < in_larger ? token / (size + 1) : (token - n % n_tiles) / size, n, limits);
}

/// Tokens as integers, x ≈ scale · q. First kTokenBlock columns of all tokens, tile after tile,
/// then the next: what products read one after the other lies side by side. Room for n_cols rounded
/// up to whole blocks. Of each tile:
struct QuantizedTokens {
    TileLimits tiles;
    /// [columns / 4, tile, 4] of int16_t for exact products: of every four columns the first and
    /// third, then the second and fourth, so bytes of packed weights become pairs of 16-bit numbers
    /// by a mask and a shift. Of int8_t for fast ones.
    const void* q;
    const float* scales;         ///< [columns / kTokenGroup, tile]
    const float* sums;           ///< The same; scale · the sum of q.
    const std::int32_t* starts;  ///< [columns / kStartColumns, tile]
    // For fast products:
    /// [columns / kTokenGroup / 2, tile, 2]: scale / block scale, of two neighbouring groups the
    /// second first.
    const std::int16_t* shares;
    const std::uint16_t* rounded_sums;  ///< As shares: sums as bf16.
    const float* block_scales;          ///< [tile]
};

/// Numbers of elements in the arrays of a QuantizedTokens.
struct TokenSizes {
    std::size_t q;
    std::size_t groups;  ///< scales, sums
    std::size_t starts;
    std::size_t shares;  ///< and rounded_sums
    std::size_t blocks;
};
/// Of n tokens; of q, token_bytes says how many bytes these take.
constexpr TokenSizes token_sizes(std::int32_t n_tokens, std::int32_t n_cols) noexcept {
    const std::size_t blocks = static_cast<std::size_t>((n_cols + kTokenBlock - 1) / kTokenBlock) *
                               static_cast<std::size_t>(n_tokens);
    return {.q = blocks * kTokenBlock,
            .groups = blocks * (kTokenBlock / kTokenGroup),
            .starts = blocks * (kTokenBlock / kStartColumns),
            .shares = blocks * (kTokenBlock / kTokenGroup),
            .blocks = blocks};
}
/// Bytes of QuantizedTokens::q: of a column as many as any set of kernels takes, and a row of
/// columns that a tile register may read behind the last.
constexpr std::size_t token_bytes(Precision precision,
                                  std::int32_t n_tokens,
                                  std::int32_t n_cols) noexcept {
    const std::size_t per_column = precision == Precision::kExact ? 4 : 2;
    return token_sizes(n_tokens, n_cols).q * per_column + kTokenGroup * sizeof(std::int16_t);
}
/// Before a tile's numbers of column `col`, a multiple of kTokenGroup: shares before those of its
/// pair.
constexpr TokenSizes token_offset(TokenTile tile,
                                  std::int32_t n_tokens,
                                  std::int32_t col) noexcept {
    const auto block =
        static_cast<std::size_t>(col / kTokenBlock * n_tokens + tile.first) * kTokenBlock;
    const auto in_block = static_cast<std::size_t>(col % kTokenBlock);
    const auto size = static_cast<std::size_t>(tile.size);
    return {.q = block + in_block * size,
            .groups = (block + in_block * size) / kTokenGroup,
            .starts = (block + in_block * size) / kStartColumns,
            .shares = block / kTokenGroup + in_block / (2 * kTokenGroup) * 2 * size,
            .blocks = block / kTokenBlock};
}

/// Where the integers of one token go.
struct TokenPlace {
    // As in QuantizedTokens, from the beginning.
    void* q;
    float* scales;
    float* sums;
    std::int32_t* starts;
    std::int16_t* shares;
    std::uint16_t* rounded_sums;
    float* block_scales;
    std::int32_t token;
    std::int32_t n_tokens;  ///< That are multiplied together.
    TileLimits tiles;       ///< One of KernelTable's.
    std::int32_t col;       ///< The first one: a multiple of kTokenGroup, for fast products of
                            ///< kTokenBlock.
};

/// Some rows of packed weights, whole panels of sixteen, times some tokens.
struct PackedMatmulArgs {
    const std::byte* panels;  ///< First panel.
    std::size_t panel_bytes;
    std::int32_t n_rows;    ///< From the first panel on; the last panel may be used in part.
    std::int32_t n_cols;    ///< Whole blocks, and a multiple of kTokenGroup.
    std::int32_t n_tokens;  ///< ≤ kMatmulTokens, cut into x.tiles.
    Store store;
    QuantizedTokens x;  ///< All n_tokens, n_cols of each.
    float* out;         ///< [n_tokens, n_rows]
    std::size_t out_stride;
    /// Where the thread will probably read on behind the panels; memory is asked for it. Null:
    /// nobody knows.
    const std::byte* next = nullptr;
    /// Weights of a few tokens go into the L2 cache first: for CPUs whose L1 cache waits for few
    /// lines at once.
    bool into_l2 = false;
};
using PackedMatmul = void (*)(const PackedMatmulArgs& args) noexcept;

/// Makes integers of n columns of one token, a multiple of kTokenGroup. A group with NaN or
/// infinity gets a scale of NaN, and so does its block.
using QuantizeToken = void (*)(const float* x, std::int32_t n, const TokenPlace& out) noexcept;

inline constexpr std::size_t kTypeSlots = 40;  ///< Above every TensorType number.

/// What a set of kernels does with packed weights in one Precision.
struct PackedKernels {
    PackedMatmul by_type[kTypeSlots];  ///< By TensorType number; null: not packed.
    QuantizeToken quantize_token;
};

/// Magnitudes below this are taken as zero: their reciprocal would overflow.
inline constexpr float kLeastMagnitude = 1e-30f;
/// Share of a group of a fast token, from its magnitude as a part of its block's, times
/// kGreatestShare: rounded up, so that no integer exceeds kGreatestShare.
constexpr int share_of(float part) noexcept {
    const int whole = static_cast<int>(part);
    const int up = static_cast<float>(whole) < part ? whole + 1 : whole;
    return up < 1 ? 1 : up > kGreatestShare ? kGreatestShare : up;
}
/// The nearest bf16, of two the one further from zero. NaN stays NaN if it has few other bits
/// (plain_nan of an instruction set).
constexpr std::uint16_t nearest_bf16(float number) noexcept {
    return static_cast<std::uint16_t>((__builtin_bit_cast(std::uint32_t, number) + 0x8000) >> 16);
}
/// Greatest integer of a token in an exact product.
inline constexpr float kGreatestWord = 32767.0f;

}  // namespace notso::ml::kernels
