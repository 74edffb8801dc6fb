// The product of packed weights with integer tokens, written once for every instruction set S and
// packed type P (packed_blocks.hpp). Few tokens: weights go from memory through registers into the
// sums. Many: columns of weights are unpacked once and multiplied with all tokens. Both add up the
// same numbers in the same order.
#pragma once

#include "ml/kernels/packed.hpp"
#include "ml/kernels/simd/packed_blocks.hpp"
#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

/// Integers and scales of neighbouring tokens from some column on.
struct TokenColumns {
    const std::int16_t* q;
    const float* scales;
    const float* sums;
    std::ptrdiff_t stride;        ///< From one token to the next in q,
    std::ptrdiff_t group_stride;  ///< in scales and sums.

    static TokenColumns of(const QuantizedTokens& x) {
        const auto stride = static_cast<std::ptrdiff_t>(x.stride);
        return {x.q, x.scales, x.sums, stride, stride / kTokenGroup};
    }
    TokenColumns at(std::ptrdiff_t token, std::ptrdiff_t col) const {
        return {q + token * stride + col,
                scales + token * group_stride + col / kTokenGroup,
                sums + token * group_stride + col / kTokenGroup,
                stride,
                group_stride};
    }
};

/// sums[t] += (integers · w_scale) · x_scale[t], lane by lane: sixteen rows.
template <class S, int kTokens>
[[gnu::always_inline]] inline void fold_integers(const typename S::Ints* integers,
                                                 const float* w_scale,
                                                 const TokenColumns& x,
                                                 int group,
                                                 typename S::Vec* sums) {
    const auto scale = S::load(w_scale);
#pragma GCC unroll 4
    for (int t = 0; t < kTokens; ++t) {
        const auto x_scale = S::set1(x.scales[t * x.group_stride + group]);
        sums[t] = S::fma(S::to_float(integers[t]), S::mul(scale, x_scale), sums[t]);
    }
}

template <class S, int kTokens>
[[gnu::always_inline]] inline void fold_mins(const float* w_min,
                                             const TokenColumns& x,
                                             int group,
                                             typename S::Vec* sums) {
    const auto min = S::load(w_min);
#pragma GCC unroll 4
    for (int t = 0; t < kTokens; ++t)
        sums[t] = S::fnma(min, S::set1(x.sums[t * x.group_stride + group]), sums[t]);
}

/// A run of 32 columns of one tile; line(step) gives its weights.
template <class S, class P, int kTokens, class Line>
[[gnu::always_inline]] inline void multiply_run(const Line& line,
                                                const float* scales,
                                                const float* mins,
                                                const TokenColumns& x,
                                                int run,
                                                typename S::Vec* sums) {
    constexpr int kParts = kTokenGroup / P::kGroup;
    constexpr int kSteps = P::kGroup / 2;
#pragma GCC unroll 2
    for (int part = 0; part < kParts; ++part) {
        typename S::Ints integers[kTokens];
#pragma GCC unroll 4
        for (int t = 0; t < kTokens; ++t) integers[t] = S::zero_ints();
#pragma GCC unroll 16
        for (int step = part * kSteps; step < (part + 1) * kSteps; ++step) {
            const auto weights = line(step);
            const std::int16_t* pair = x.q + run * kTokenGroup + step * 2;
#pragma GCC unroll 4
            for (int t = 0; t < kTokens; ++t)
                integers[t] = S::add_dot2(integers[t], weights, pair + t * x.stride);
        }
        fold_integers<S, kTokens>(integers, scales + (run * kParts + part) * 16, x, run, sums);
    }
    if constexpr (P::kHasMins) fold_mins<S, kTokens>(mins + run * 16, x, run, sums);
}

template <class S, class P, int kTokens, int kPhase>
[[gnu::always_inline]] inline void multiply_phases(const std::byte* tile,
                                                   const float* scales,
                                                   const float* mins,
                                                   const TokenColumns& x,
                                                   int group,
                                                   typename S::Vec* sums) {
    if constexpr (kPhase < P::kPhases) {
        const auto line = [&](int step) __attribute__((always_inline)) {
            return P::template line<kPhase>(tile, group, step);
        };
        multiply_run<S, P, kTokens>(line, scales, mins, x, group * P::kPhases + kPhase, sums);
        multiply_phases<S, P, kTokens, kPhase + 1>(tile, scales, mins, x, group, sums);
    }
}

/// Sixteen sums of one token to its output; `n` of them count.
template <class S>
[[gnu::always_inline]] inline void put_rows(typename S::Vec sums,
                                            std::int32_t n,
                                            Store store,
                                            float* out) {
    if (n == 16) {
        S::store(out, store == Store::kAdd ? S::add(S::load(out), sums) : sums);
        return;
    }
    alignas(64) float rows[16];
    S::store(rows, sums);
    for (std::int32_t i = 0; i < n; ++i) out[i] = store == Store::kAdd ? out[i] + rows[i] : rows[i];
}

/// Calls f(panel, its first row, how many of its rows count).
template <class F>
[[gnu::always_inline]] inline void for_each_panel(const PackedMatmulArgs& args, F&& f) {
    const std::byte* panel = args.panels;
    for (std::int32_t row = 0; row < args.n_rows; row += 16, panel += args.panel_bytes) {
        const std::int32_t left = args.n_rows - row;
        f(panel, row, left < 16 ? left : 16);
    }
}

template <class S, class P, int kTokens>
void multiply_packed_in_registers(const PackedMatmulArgs& args) {
    constexpr int kScales = P::kElements / P::kGroup * 16;
    const TokenColumns x = TokenColumns::of(args.x);
    for_each_panel(
        args,
        [&](const std::byte* tile, std::int32_t row, std::int32_t n)
            __attribute__((always_inline)) {
                alignas(64) float scales[kScales];
                alignas(64) float mins[kScales];
                typename S::Vec sums[kTokens];
#pragma GCC unroll 4
                for (int t = 0; t < kTokens; ++t) sums[t] = S::zero();
                for (std::int32_t col = 0; col < args.n_cols;
                     col += P::kElements, tile += P::kBytes) {
                    S::template prefetch<P::kBytes>(tile);
                    P::scales(tile, scales);
                    if constexpr (P::kHasMins) P::mins(tile, mins);
                    for (int group = 0; group < P::kElements / kTokenGroup / P::kPhases; ++group)
                        multiply_phases<S, P, kTokens, 0>(
                            tile, scales, mins, x.at(0, col), group, sums);
                }
#pragma GCC unroll 4
                for (int t = 0; t < kTokens; ++t) {
                    float* out = args.out + static_cast<std::size_t>(t) * args.out_stride + row;
                    put_rows<S>(sums[t], n, args.store, out);
                }
            });
}

inline constexpr int kUnpackedColumns = 256;

/// Some columns of sixteen rows in 16-bit numbers: two columns of all rows, then the next two.
template <class P>
struct UnpackedColumns {
    static constexpr int kScales = kUnpackedColumns / P::kGroup * 16;
    alignas(64) std::int16_t pairs[kUnpackedColumns * 16];
    alignas(64) float scales[kScales];
    alignas(64) float mins[kScales];
    int n_runs;  ///< Of 32 columns.
};

template <class S, class P, int kPhase>
[[gnu::always_inline]] inline void unpack_phases(const std::byte* tile,
                                                 int group,
                                                 std::int16_t* pairs) {
    if constexpr (kPhase < P::kPhases) {
        std::int16_t* run = pairs + (group * P::kPhases + kPhase) * kTokenGroup * 16;
#pragma GCC unroll 16
        for (int step = 0; step < 16; ++step)
            S::store_line(run + step * 32, P::template line<kPhase>(tile, group, step));
        unpack_phases<S, P, kPhase + 1>(tile, group, pairs);
    }
}

/// @param n_cols  Whole blocks, at most kUnpackedColumns.
template <class S, class P>
void unpack_columns(const std::byte* tile, std::int32_t n_cols, UnpackedColumns<P>& out) {
    constexpr int kBlockScales = P::kElements / P::kGroup * 16;
    for (std::int32_t i = 0; i < n_cols / P::kElements; ++i, tile += P::kBytes) {
        P::scales(tile, out.scales + i * kBlockScales);
        if constexpr (P::kHasMins) P::mins(tile, out.mins + i * kBlockScales);
        for (int group = 0; group < P::kElements / kTokenGroup / P::kPhases; ++group)
            unpack_phases<S, P, 0>(tile, group, out.pairs + i * P::kElements * 16);
    }
    out.n_runs = n_cols / kTokenGroup;
}

/// sums [kTokens, 16] += columns · tokens
template <class S, class P, int kTokens>
void multiply_columns(const UnpackedColumns<P>& columns, const TokenColumns& x, float* sums) {
    typename S::Vec rows[kTokens];
#pragma GCC unroll 4
    for (int t = 0; t < kTokens; ++t) rows[t] = S::load(sums + t * 16);
    for (int run = 0; run < columns.n_runs; ++run) {
        const std::int16_t* pairs = columns.pairs + run * kTokenGroup * 16;
        const auto line = [&](int step) __attribute__((always_inline)) {
            return S::load_line(pairs + step * 32);
        };
        multiply_run<S, P, kTokens>(line, columns.scales, columns.mins, x, run, rows);
    }
#pragma GCC unroll 4
    for (int t = 0; t < kTokens; ++t) S::store(sums + t * 16, rows[t]);
}

template <class S, class P>
void multiply_packed_by_columns(const PackedMatmulArgs& args) {
    UnpackedColumns<P> unpacked;
    alignas(64) float sums[kMatmulTokens * 16];
    const TokenColumns x = TokenColumns::of(args.x);
    for_each_panel(args, [&](const std::byte* panel, std::int32_t row, std::int32_t n) {
        for (std::int32_t i = 0; i < args.n_tokens; ++i) S::store(sums + i * 16, S::zero());
        for (std::int32_t col = 0; col < args.n_cols; col += kUnpackedColumns) {
            const std::int32_t left = args.n_cols - col;
            const std::byte* tile =
                panel + static_cast<std::size_t>(col / P::kElements) * P::kBytes;
            unpack_columns<S, P>(tile, left < kUnpackedColumns ? left : kUnpackedColumns, unpacked);
            std::int32_t t = 0;
            for (; t + 4 <= args.n_tokens; t += 4)
                multiply_columns<S, P, 4>(unpacked, x.at(t, col), sums + t * 16);
            for (; t + 2 <= args.n_tokens; t += 2)
                multiply_columns<S, P, 2>(unpacked, x.at(t, col), sums + t * 16);
            if (t < args.n_tokens) multiply_columns<S, P, 1>(unpacked, x.at(t, col), sums + t * 16);
        }
        for (std::int32_t i = 0; i < args.n_tokens; ++i) {
            float* out = args.out + static_cast<std::size_t>(i) * args.out_stride + row;
            put_rows<S>(S::load(sums + i * 16), n, args.store, out);
        }
    });
}

template <class S, class P>
void packed_matmul(const PackedMatmulArgs& args) noexcept {
    if (args.n_tokens == 1) return multiply_packed_in_registers<S, P, 1>(args);
    if (args.n_tokens == 2) return multiply_packed_in_registers<S, P, 2>(args);
    multiply_packed_by_columns<S, P>(args);
}

/// kernels::QuantizeToken
template <class S>
void quantize_token(
    const float* x, std::int32_t n, std::int16_t* q, float* scales, float* sums) noexcept {
    for (std::int32_t col = 0; col < n; col += kTokenGroup, x += kTokenGroup, q += kTokenGroup) {
        const auto first = S::load(x);
        const auto second = S::load(x + 16);
        const auto magnitudes = S::max(S::abs(first), S::abs(second));
        const float greatest = S::greatest(magnitudes);
        const bool finite = S::all_finite(first) && S::all_finite(second);
        const float inverse =
            finite && greatest >= kLeastMagnitude ? kGreatestInteger / greatest : 0.0f;
        const float scale = greatest >= kLeastMagnitude ? greatest / kGreatestInteger : 0.0f;
        const auto factor = S::set1(inverse);
        const auto a = finite ? S::round(S::mul(first, factor)) : S::zero();
        const auto b = finite ? S::round(S::mul(second, factor)) : S::zero();
        S::store_pairs16(q, a, b);
        // Sums of 32 integers of 16 bits are exact in f32.
        scales[col / kTokenGroup] = finite ? scale : __builtin_nanf("");
        sums[col / kTokenGroup] = scales[col / kTokenGroup] * S::sum(S::add(a, b));
    }
}

}  // namespace notso::ml::kernels
