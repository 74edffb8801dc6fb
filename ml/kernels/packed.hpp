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

/// Tokens as integers: x ≈ scale · q.
struct QuantizedTokens {
    /// [n_tokens, stride] of int16_t for exact products: of every four columns the first and third,
    /// then the second and fourth, so bytes of packed weights become pairs of 16-bit numbers by a
    /// mask and a shift. Of uint8_t for fast ones: q + 128.
    void* q;
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

/// Makes integers of n columns of one token; n is a multiple of kTokenGroup, and `out` stands at
/// its first column. A group with NaN or infinity gets a scale of NaN.
using QuantizeToken = void (*)(const float* x, std::int32_t n, const QuantizedTokens& out) noexcept;

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
