// Tokens as integers, written once for every instruction set S: how they are made, and where the
// product reads them.
#pragma once

#include <immintrin.h>

#include "ml/kernels/packed.hpp"

namespace notso::ml::kernels {

template <Precision>
struct TokenElement {
    using Type = std::int16_t;
};
template <>
struct TokenElement<Precision::kFast> {
    using Type = std::int8_t;
};

/// Integers and scales of one tile of kTokens tokens, from some column on.
template <Precision kPrecision, int kTokens>
struct TileColumns {
    using Element = typename TokenElement<kPrecision>::Type;
    const Element* q;
    const float* scales;
    const float* sums;
    const std::int32_t* starts;
    const std::int16_t* shares;
    const std::uint16_t* rounded_sums;
    const float* block_scales;

    /// Of tokens [first_token, first_token + kTokens) of n_tokens, from column `col` on: a multiple
    /// of kTokenGroup, and all that is read lies in its block.
    static TileColumns at(const QuantizedTokens& x,
                          std::int32_t first_token,
                          std::int32_t n_tokens,
                          std::int32_t col) {
        const TokenSizes before = token_offset({first_token, kTokens}, n_tokens, col);
        TileColumns columns{.q = static_cast<const Element*>(x.q) + before.q,
                            .scales = x.scales + before.groups,
                            .sums = x.sums + before.groups,
                            .starts = x.starts + before.starts,
                            .shares = nullptr,
                            .rounded_sums = nullptr,
                            .block_scales = nullptr};
        if constexpr (kPrecision == Precision::kFast) {
            columns.shares = x.shares + before.shares;
            columns.rounded_sums = x.rounded_sums + before.shares;
            columns.block_scales = x.block_scales + before.blocks;
        }
        return columns;
    }
};

/// The numbers of a token from some column on, as TokenPlace.
template <class Element>
struct ColumnPlace {
    Element* q;
    float* scales;
    float* sums;
    std::int32_t* starts;
    std::ptrdiff_t step;  ///< Tokens of the tile.
    std::int16_t* shares = nullptr;
    std::uint16_t* rounded_sums = nullptr;
    float* block_scales = nullptr;

    ColumnPlace(const TokenPlace& place, std::int32_t col) {
        const TokenTile tile = tile_of_token(place.token, place.n_tokens, place.tiles);
        const auto in_tile = static_cast<std::size_t>(place.token - tile.first);
        const TokenSizes before = token_offset(tile, place.n_tokens, col);
        q = static_cast<Element*>(place.q) + before.q + 4 * in_tile;
        scales = place.scales + before.groups + in_tile;
        sums = place.sums + before.groups + in_tile;
        starts = place.starts + before.starts + in_tile;
        step = tile.size;
        if constexpr (sizeof(Element) == sizeof(std::int8_t)) {
            shares = place.shares + before.shares + 2 * in_tile;
            rounded_sums = place.rounded_sums + before.shares + 2 * in_tile;
            block_scales = place.block_scales + before.blocks + in_tile;
        }
    }
};

/// kTokenGroup integers of a token to their place.
template <class Element>
[[gnu::always_inline]] inline void put_integers(const Element* integers,
                                                Element* q,
                                                std::ptrdiff_t step) {
    for (int i = 0; i < kTokenGroup; i += 4, q += 4 * step)
        __builtin_memcpy(q, integers + i, 4 * sizeof(Element));
}

/// Greatest magnitude of a group; NaN where a number is not finite.
template <class S>
[[gnu::always_inline]] inline float group_magnitude(const float* x) {
    const auto first = S::load(x);
    const auto second = S::load(x + 16);
    if (!S::all_finite(first) || !S::all_finite(second)) return __builtin_nanf("");
    return S::greatest(S::max(S::abs(first), S::abs(second)));
}

/// The sums of the first and the second half of a group.
struct HalfSums {
    std::int32_t first;
    std::int32_t second;

    /// @param integers  Aligned to 32 bytes.
    explicit HalfSums(const std::int8_t* integers)
        : HalfSums(_mm256_maddubs_epi16(_mm256_set1_epi8(1), load(integers))) {}
    explicit HalfSums(const std::int16_t* integers)
        : HalfSums(pairs(integers), pairs(integers + kTokenGroup / 2)) {}

  private:
    static __m256i load(const void* integers) {
        return _mm256_load_si256(static_cast<const __m256i*>(integers));
    }
    static __m256i pairs(const std::int16_t* integers) {
        return _mm256_madd_epi16(load(integers), _mm256_set1_epi16(1));
    }
    /// @param words  Eight parts of each sum.
    explicit HalfSums(__m256i words) {
        const __m256i fours = _mm256_madd_epi16(words, _mm256_set1_epi16(1));
        const __m256i eights = _mm256_hadd_epi32(fours, fours);
        const __m256i halves = _mm256_hadd_epi32(eights, eights);
        first = _mm256_cvtsi256_si32(halves);
        second = _mm_cvtsi128_si32(_mm256_extracti128_si256(halves, 1));
    }
    HalfSums(__m256i first_pairs, __m256i second_pairs) {
        const __m256i fours = _mm256_hadd_epi32(first_pairs, second_pairs);
        const __m256i eights = _mm256_hadd_epi32(fours, fours);
        const __m128i sums =
            _mm_add_epi32(_mm256_castsi256_si128(eights), _mm256_extracti128_si256(eights, 1));
        first = _mm_cvtsi128_si32(sums);
        second = _mm_extract_epi32(sums, 1);
    }
};

/// What stands beside the integers of a group.
template <Precision kPrecision, class Element>
[[gnu::always_inline]] inline void put_sums(const HalfSums& sums,
                                            float scale,
                                            int group,
                                            const ColumnPlace<Element>& out) {
    out.starts[2 * group * out.step] = kStartFactor<kPrecision> * sums.first;
    out.starts[(2 * group + 1) * out.step] = kStartFactor<kPrecision> * sums.second;
    out.scales[group * out.step] = scale;
    // Sums of 32 integers are exact in f32.
    out.sums[group * out.step] = scale * static_cast<float>(sums.first + sums.second);
}

/// Groups of one block of an exact token.
template <class S>
void quantize_exact(const float* x, int n_groups, const ColumnPlace<std::int16_t>& out) {
    for (int group = 0; group < n_groups; ++group, x += kTokenGroup) {
        const float greatest = group_magnitude<S>(x);
        const bool counts = greatest >= kLeastMagnitude;  // false for NaN
        const auto factor = S::set1(counts ? kGreatestWord / greatest : 0.0f);
        const auto a = counts ? S::round(S::mul(S::load(x), factor)) : S::zero();
        const auto b = counts ? S::round(S::mul(S::load(x + 16), factor)) : S::zero();
        alignas(32) std::int16_t integers[kTokenGroup];
        S::store_integers(integers, a, b);
        put_integers(integers, out.q + group * kTokenGroup * out.step, out.step);
        const float scale = counts ? greatest / kGreatestWord : greatest != greatest ? greatest : 0;
        put_sums<Precision::kExact>(HalfSums(integers), scale, group, out);
    }
}

/// Groups of one block of a fast token.
template <class S>
void quantize_fast(const float* x, int n_groups, const ColumnPlace<std::int8_t>& out) {
    float magnitudes[kTokenBlock / kTokenGroup];  // NaN: not finite
    float greatest = 0;
    for (int group = 0; group < n_groups; ++group) {
        magnitudes[group] = group_magnitude<S>(x + group * kTokenGroup);
        greatest = magnitudes[group] > greatest ? magnitudes[group] : greatest;
    }
    const bool counts = greatest >= kLeastMagnitude;
    const float block_scale = counts ? greatest / (kGreatestShare * kGreatestShare) : 0.0f;
    const float shares_per_magnitude = counts ? kGreatestShare / greatest : 0.0f;
    *out.block_scales = block_scale;
    for (int group = 0; group < n_groups; ++group, x += kTokenGroup) {
        const bool finite = magnitudes[group] == magnitudes[group];
        const float magnitude = counts && finite ? magnitudes[group] : 0.0f;
        const int share = share_of(magnitude * shares_per_magnitude);
        const float scale = block_scale * static_cast<float>(share);
        const auto factor = S::set1(magnitude > 0 ? 1.0f / scale : 0.0f);
        const auto a = magnitude > 0 ? S::mul(S::load(x), factor) : S::zero();
        const auto b = magnitude > 0 ? S::mul(S::load(x + 16), factor) : S::zero();
        alignas(32) std::int8_t integers[kTokenGroup];
        S::store_integers(integers, a, b);
        put_integers(integers, out.q + group * kTokenGroup * out.step, out.step);
        if (!finite) *out.block_scales = magnitudes[group];
        put_sums<Precision::kFast>(
            HalfSums(integers), finite ? scale : magnitudes[group], group, out);
        const std::ptrdiff_t in_pair = group / 2 * 2 * out.step + 1 - group % 2;
        out.shares[in_pair] = static_cast<std::int16_t>(share);
        out.rounded_sums[in_pair] = nearest_bf16(out.sums[group * out.step]);
    }
}

/// kernels::QuantizeToken
template <class S, Precision kPrecision>
void quantize_token(const float* x, std::int32_t n, const TokenPlace& out) noexcept {
    const std::int32_t end = out.col + n;
    for (std::int32_t col = out.col; col < end;) {
        const std::int32_t next = (col / kTokenBlock + 1) * kTokenBlock;
        const std::int32_t n_groups = ((next < end ? next : end) - col) / kTokenGroup;
        const ColumnPlace<typename TokenElement<kPrecision>::Type> place(out, col);
        if constexpr (kPrecision == Precision::kExact) {
            quantize_exact<S>(x, n_groups, place);
        } else {
            quantize_fast<S>(x, n_groups, place);
        }
        x += n_groups * kTokenGroup;
        col += n_groups * kTokenGroup;
    }
}

}  // namespace notso::ml::kernels
