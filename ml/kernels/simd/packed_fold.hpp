// What a product of packed weights does with the sums of its integers, written once for every
// instruction set S, packed type P (packed_blocks.hpp) and kind of dot products D
// (packed_dots.hpp): scales them and adds them up, as FastSums (packed_blocks.hpp) says.
#pragma once

#include "ml/kernels/packed.hpp"
#include "ml/kernels/simd/packed_dots.hpp"

namespace notso::ml::kernels {

inline constexpr int kUnpackedColumns = 256;

/// What stands beside the weights of some columns of sixteen rows.
template <class S, class P, FastSums>
struct ColumnNumbers {
    static constexpr int kNumbers = kUnpackedColumns / P::kGroup * kLanes;
    alignas(64) float scales[kNumbers];
    alignas(64) float mins[kNumbers];

    /// Of one tile, whose first column of the numbers is `col`.
    [[gnu::always_inline]] void read(const std::byte* tile, int col) {
        P::scales(tile, scales + col / P::kGroup * kLanes);
        if constexpr (P::kHasMins) P::mins(tile, mins + col / P::kGroup * kLanes);
    }
};
template <class S, class P>
struct ColumnNumbers<S, P, FastSums::kBlocks> {
    static constexpr int kGroups = kUnpackedColumns / P::kGroup;
    static_assert(P::kElements == kUnpackedColumns && kUnpackedColumns == kTokenBlock);
    alignas(64) float block_scales[kLanes];
    alignas(64) std::int16_t scales[kGroups * kLanes];
    alignas(64) std::uint16_t mins[kGroups * kLanes];

    [[gnu::always_inline]] void read(const std::byte* tile, int) {
        P::block_scales(tile, block_scales);
        P::whole_scales(tile, scales, mins);
    }
};
template <class S, class P, class D>
using NumbersOf = ColumnNumbers<S, P, D::kSums>;

/// sums += (integers · w_scale) · x_scale, lane by lane: sixteen rows of each panel. Panels take
/// turns, so that few registers hold scales.
/// @param w_scales  Of panel 0; panel 1 has its own `w_step` later.
template <class S, int kPanels, int kTokens>
[[gnu::always_inline]] inline void fold_integers(const typename S::Ints* integers,
                                                 const float* w_scales,
                                                 std::ptrdiff_t w_step,
                                                 const float* x_scales,
                                                 typename S::Vec* sums) {
    typename S::Vec scales[kPanels];
#pragma GCC unroll 2
    for (int panel = 0; panel < kPanels; ++panel)
        scales[panel] = S::load(w_scales + panel * w_step);
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) {
        const auto x_scale = S::set1(x_scales[t]);
#pragma GCC unroll 2
        for (int panel = 0; panel < kPanels; ++panel) {
            const int i = panel * kTokens + t;
            sums[i] = S::fma(S::to_float(integers[i]), S::mul(scales[panel], x_scale), sums[i]);
        }
    }
}

template <class S, int kPanels, int kTokens>
[[gnu::always_inline]] inline void fold_mins(const float* w_mins,
                                             std::ptrdiff_t w_step,
                                             const float* x_sums,
                                             typename S::Vec* sums) {
    typename S::Vec mins[kPanels];
#pragma GCC unroll 2
    for (int panel = 0; panel < kPanels; ++panel) mins[panel] = S::load(w_mins + panel * w_step);
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) {
        const auto x_sum = S::set1(x_sums[t]);
#pragma GCC unroll 2
        for (int panel = 0; panel < kPanels; ++panel) {
            const int i = panel * kTokens + t;
            sums[i] = S::fnma(mins[panel], x_sum, sums[i]);
        }
    }
}

/// Adds the products of P::kGroup columns to the integers; line(panel, step, out) gives the weights
/// of a run. @param integers  [kPanels, kTokens]
template <class S, class P, class D, int kPanels, int kTokens, class Line>
[[gnu::always_inline]] inline void multiply_group(const Line& line,
                                                  const TileColumns<D::kPrecision, kTokens>& x,
                                                  int run,
                                                  int part,
                                                  typename D::Sums* integers) {
    constexpr int kStepColumns = D::kLines * D::kLineColumns;
    constexpr int kSteps = P::kGroup / kStepColumns;
    const auto* from_run = x.q + std::ptrdiff_t{run} * (kTokenGroup * kTokens);
#pragma GCC unroll 8
    for (int step = part * kSteps; step < (part + 1) * kSteps; ++step) {
        typename S::Ints lines[kPanels][D::kLines];
#pragma GCC unroll 2
        for (int panel = 0; panel < kPanels; ++panel) line(panel, step, lines[panel]);
        const auto* q = from_run + step * kStepColumns * kTokens;
#pragma GCC unroll 8
        for (int t = 0; t < kTokens; ++t) {
#pragma GCC unroll 2
            for (int panel = 0; panel < kPanels; ++panel) {
                auto& sum = integers[panel * kTokens + t];
                sum = D::template add<kPanels, kTokens>(sum, lines[panel], q + t * 4);
            }
        }
    }
}

/// The products of one group of a run, P::kGroup columns. @param integers  [kPanels, kTokens]
template <class S, class P, class D, int kPhase, int kPanels, int kTokens, class Line>
[[gnu::always_inline]] inline void multiply_part(const Line& line,
                                                 const TileColumns<D::kPrecision, kTokens>& x,
                                                 int run,
                                                 int part,
                                                 typename S::Ints* integers) {
    typename D::Sums parts[kPanels * kTokens];
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) {
        const auto start = D::template start<kTokens>(x.starts, run, part, t);
#pragma GCC unroll 2
        for (int panel = 0; panel < kPanels; ++panel) parts[panel * kTokens + t] = start;
    }
    multiply_group<S, P, D, kPanels, kTokens>(line, x, run, part, parts);
#pragma GCC unroll 16
    for (int i = 0; i < kPanels * kTokens; ++i) integers[i] = D::template total<kPhase>(parts[i]);
}

/// A run of two groups, which share a token's scale: FastSums::kPairs.
template <class S, class P, class D, int kPhase, int kPanels, int kTokens, class Line>
[[gnu::always_inline]] inline void multiply_pair(const Line& line,
                                                 const NumbersOf<S, P, D>* numbers,
                                                 const TileColumns<D::kPrecision, kTokens>& x,
                                                 int run,
                                                 typename S::Vec* sums) {
    typename S::Ints integers[kPanels * kTokens];
    typename S::Vec scaled[kPanels * kTokens];
    multiply_part<S, P, D, kPhase, kPanels, kTokens>(line, x, run, 0, integers);
#pragma GCC unroll 16
    for (int i = 0; i < kPanels * kTokens; ++i) {
        const float* scales = numbers[i / kTokens].scales + run * 2 * kLanes;
        scaled[i] = S::mul(S::to_float(integers[i]), S::load(scales));
    }
    multiply_part<S, P, D, kPhase, kPanels, kTokens>(line, x, run, 1, integers);
#pragma GCC unroll 16
    for (int i = 0; i < kPanels * kTokens; ++i) {
        const float* scales = numbers[i / kTokens].scales + (run * 2 + 1) * kLanes;
        scaled[i] = S::fma(S::to_float(integers[i]), S::load(scales), scaled[i]);
        sums[i] = S::fma(scaled[i], S::set1(x.scales[run * kTokens + i % kTokens]), sums[i]);
    }
}

/// A run of 32 columns of kPanels panels.
/// @param sums  [kPanels, kTokens]
template <class S, class P, class D, int kPhase, int kPanels, int kTokens, class Line>
[[gnu::always_inline]] inline void multiply_run(const Line& line,
                                                const NumbersOf<S, P, D>* numbers,
                                                const TileColumns<D::kPrecision, kTokens>& x,
                                                int run,
                                                typename S::Vec* sums) {
    constexpr int kParts = kTokenGroup / P::kGroup;
    constexpr std::ptrdiff_t kStep = sizeof(*numbers) / sizeof(float);
    if constexpr (D::kSums == FastSums::kPairs)
        return multiply_pair<S, P, D, kPhase, kPanels, kTokens>(line, numbers, x, run, sums);
#pragma GCC unroll 2
    for (int part = 0; part < kParts; ++part) {
        const std::ptrdiff_t at = std::ptrdiff_t{run} * (kParts * kLanes) + part * kLanes;
        typename S::Ints integers[kPanels * kTokens];
        multiply_part<S, P, D, kPhase, kPanels, kTokens>(line, x, run, part, integers);
        fold_integers<S, kPanels, kTokens>(
            integers, numbers->scales + at, kStep, x.scales + std::ptrdiff_t{run} * kTokens, sums);
    }
    if constexpr (P::kHasMins) {
        fold_mins<S, kPanels, kTokens>(numbers->mins + std::ptrdiff_t{run} * kLanes,
                                       kStep,
                                       x.sums + std::ptrdiff_t{run} * kTokens,
                                       sums);
    }
}

/// Where whole scales are folded: the sums of a block's integers.
template <class S, int kPanels, int kTokens>
struct BlockSums {
    typename S::Ints dots[kPanels * kTokens];  ///< Of the groups at hand, as S keeps them.
    typename S::Ints all[kPanels * kTokens];

    [[gnu::always_inline]] void clear() {
#pragma GCC unroll 16
        for (int i = 0; i < kPanels * kTokens; ++i) all[i] = S::zero_ints();
    }
};

/// A run of 32 columns, the first or second (kSecond) of two, into the integers of its block.
template <class S, class P, class D, bool kSecond, int kPanels, int kTokens, class Line>
[[gnu::always_inline]] inline void multiply_block_run(const Line& line,
                                                      const NumbersOf<S, P, D>* numbers,
                                                      const TileColumns<D::kPrecision, kTokens>& x,
                                                      int run,
                                                      BlockSums<S, kPanels, kTokens>& sums) {
    static_assert(P::kWholeOffset == -kStartFactor<D::kPrecision> &&
                  P::kGroup == 2 * kStartColumns);
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) {
        const std::int32_t* starts = x.starts + 2 * run * kTokens + t;
        const std::int32_t start = starts[0] + starts[kTokens];
#pragma GCC unroll 2
        for (int panel = 0; panel < kPanels; ++panel)
            S::template begin_dots<kSecond>(sums.dots[panel * kTokens + t], start);
    }
    multiply_group<S, P, D, kPanels, kTokens>(line, x, run, 0, sums.dots);
    const std::int16_t* shares = x.shares + run / 2 * 2 * kTokens;
    typename S::Ints scales[kPanels];
#pragma GCC unroll 2
    for (int panel = 0; panel < kPanels; ++panel)
        scales[panel] = S::load_line(numbers[panel].scales + run / 2 * 2 * kLanes);
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) {
#pragma GCC unroll 2
        for (int panel = 0; panel < kPanels; ++panel) {
            const int i = panel * kTokens + t;
            S::template end_dots<kSecond>(sums.dots[i], scales[panel], shares + 2 * t, sums.all[i]);
        }
    }
}

/// The end of a block: scales its integers, adds them to `out`, and takes the mins.
/// @param out  [kPanels, kTokens]
template <class S, class P, class D, int kPanels, int kTokens>
[[gnu::always_inline]] inline void fold_block(const BlockSums<S, kPanels, kTokens>& sums,
                                              const NumbersOf<S, P, D>* numbers,
                                              const TileColumns<D::kPrecision, kTokens>& x,
                                              typename S::Vec* out) {
    constexpr std::ptrdiff_t kStep = sizeof(*numbers) / sizeof(float);
    fold_integers<S, kPanels, kTokens>(sums.all, numbers->block_scales, kStep, x.block_scales, out);
#pragma GCC unroll 4
    for (int pair = 0; pair < P::kElements / P::kGroup / 2; ++pair) {
        typename S::Ints mins[kPanels];
#pragma GCC unroll 2
        for (int panel = 0; panel < kPanels; ++panel)
            mins[panel] = S::load_line(numbers[panel].mins + pair * 2 * kLanes);
        const std::uint16_t* x_sums = x.rounded_sums + std::ptrdiff_t{pair} * 2 * kTokens;
#pragma GCC unroll 8
        for (int t = 0; t < kTokens; ++t) {
#pragma GCC unroll 2
            for (int panel = 0; panel < kPanels; ++panel) {
                const int i = panel * kTokens + t;
                out[i] = S::add_bf16(out[i], mins[panel], x_sums + 2 * t);
            }
        }
    }
}

}  // namespace notso::ml::kernels
