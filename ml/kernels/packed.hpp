// Products of packed weights (ml/quant/pack.hpp) with activations in 16-bit integers. Plain types
// only, as table.hpp.
//
// Numerics: 32 columns of a token share an f32 scale, greatest magnitude / 32767, so activations
// keep 16 bits. Products of integers are summed exactly, group of columns by group; each group is
// then scaled and added to the row's f32 sum in ascending order, with fused multiply-adds. Every
// instruction set therefore gives the same bits, for one token or for many.
#pragma once

#include <cstddef>
#include <cstdint>

namespace notso::ml::kernels {

enum class Store;

/// Columns of a token that share a scale.
inline constexpr std::int32_t kTokenGroup = 32;

/// Tokens as integers: x ≈ scale · q.
struct QuantizedTokens {
    /// [n_tokens, stride]; of every four columns the first and third, then the second and fourth:
    /// so bytes of packed weights become pairs of 16-bit numbers by a mask and a shift.
    std::int16_t* q;
    float* scales;       ///< [n_tokens, stride / kTokenGroup]
    float* sums;         ///< [n_tokens, stride / kTokenGroup], scale · the sum of q
    std::size_t stride;  ///< Columns from one token to the next, a multiple of kTokenGroup.
};

/// Some rows of packed weights, whole panels of sixteen, times some tokens.
struct PackedMatmulArgs {
    const std::byte* panels;  ///< First panel.
    std::size_t panel_bytes;
    std::int32_t n_rows;    ///< From the first panel on; the last panel may be used in part.
    std::int32_t n_cols;    ///< Whole blocks, and a multiple of kTokenGroup.
    std::int32_t n_tokens;  ///< ≤ kMatmulTokens
    Store store;
    QuantizedTokens x;
    float* out;  ///< [n_tokens, n_rows]
    std::size_t out_stride;
};
using PackedMatmul = void (*)(const PackedMatmulArgs& args) noexcept;

/// Makes integers of n columns of one token; n is a multiple of kTokenGroup, and the pointers stand
/// at its first column. A group with NaN or infinity gets a scale of NaN.
using QuantizeToken =
    void (*)(const float* x, std::int32_t n, std::int16_t* q, float* scales, float* sums) noexcept;

/// Magnitudes below this are taken as zero: their reciprocal would overflow.
inline constexpr float kLeastMagnitude = 1e-30f;
inline constexpr float kGreatestInteger = 32767.0f;

}  // namespace notso::ml::kernels
