// Products of packed weights (ml/quant/pack.hpp) with activations as integers, of 16 bits (exact)
// or of 8 (fast). Plain types only, as table.hpp.
//
// Numerics: 32 columns of a token share an f32 scale, greatest magnitude / 32767 or / 127. Products
// of integers are summed exactly, group of columns by group; each group is then scaled and added to
// the row's f32 sum in ascending order, with fused multiply-adds. Every instruction set therefore
// gives the same bits, for one token or for many.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ml/kernels/precision.hpp"

namespace notso::ml::kernels {

enum class Store;

/// Columns of a token that share a scale.
inline constexpr std::int32_t kTokenGroup = 32;

/// Neighbouring tokens that are multiplied together.
struct TokenTile {
    std::int32_t first;
    std::int32_t size;
};

/// Tile number `index` of n tokens, cut into as few tiles of at most `most` as there can be, of
/// about the same size.
constexpr std::int32_t count_tiles(std::int32_t n, std::int32_t most) noexcept {
    return (n + most - 1) / most;
}
constexpr TokenTile tile_at(std::int32_t index, std::int32_t n, std::int32_t most) noexcept {
    const std::int32_t n_tiles = count_tiles(n, most);
    const std::int32_t size = n / n_tiles;
    const std::int32_t n_larger = n % n_tiles;  // the first ones have one token more
    if (index < n_larger) return {index * (size + 1), size + 1};
    return {index * size + n_larger, size};
}
constexpr TokenTile tile_of_token(std::int32_t token, std::int32_t n, std::int32_t most) noexcept {
    const std::int32_t n_tiles = count_tiles(n, most);
    const std::int32_t size = n / n_tiles;
    const std::int32_t in_larger = n % n_tiles * (size + 1);
    return tile_at(token < in_larger ? token / (size + 1) : (token - n % n_tiles) / size, n, most);
}

/// Tokens as integers, x ≈ scale · q, tile after tile: a product reads them one after the other.
struct QuantizedTokens {
    /// Each tile [n_cols / 4, size, 4] of int16_t for exact products: of every four columns the
    /// first and third, then the second and fourth, so bytes of packed weights become pairs of
    /// 16-bit numbers by a mask and a shift. Of uint8_t for fast ones: q + 128.
    const void* q;
    const float* scales;  ///< Each tile [n_cols / kTokenGroup, size].
    const float* sums;    ///< The same; scale · the sum of q.
};

/// Where the integers of one token go, from some column on, a multiple of kTokenGroup.
struct TokenPlace {
    void* q;
    float* scales;
    float* sums;
    std::ptrdiff_t step;  ///< Tokens of its tile: q has 4 · step numbers from four columns to the
                          ///< next, scales and sums have step from group to group.
};

/// Some rows of packed weights, whole panels of sixteen, times some tokens.
struct PackedMatmulArgs {
    const std::byte* panels;  ///< First panel.
    std::size_t panel_bytes;
    std::int32_t n_rows;    ///< From the first panel on; the last panel may be used in part.
    std::int32_t n_cols;    ///< Whole blocks, and a multiple of kTokenGroup.
    std::int32_t n_tokens;  ///< ≤ kMatmulTokens, cut into tiles of at most tile_tokens.
    Store store;
    QuantizedTokens x;  ///< All n_tokens, n_cols of each.
    float* out;         ///< [n_tokens, n_rows]
    std::size_t out_stride;
};
using PackedMatmul = void (*)(const PackedMatmulArgs& args) noexcept;

/// Makes integers of n columns of one token; n is a multiple of kTokenGroup. A group with NaN or
/// infinity gets a scale of NaN.
using QuantizeToken = void (*)(const float* x, std::int32_t n, const TokenPlace& out) noexcept;

inline constexpr std::size_t kTypeSlots = 40;  ///< Above every TensorType number.

/// What a set of kernels does with packed weights in one Precision.
struct PackedKernels {
    PackedMatmul by_type[kTypeSlots];  ///< By TensorType number; null: not packed.
    QuantizeToken quantize_token;
};

/// Magnitudes below this are taken as zero: their reciprocal would overflow.
inline constexpr float kLeastMagnitude = 1e-30f;
/// Greatest integer of a token, by Precision.
inline constexpr float kGreatestInteger[kPrecisions] = {32767.0f, 127.0f};
inline constexpr int kByteOffset = 128;  ///< What the bytes of fast tokens add to q.

}  // namespace notso::ml::kernels
