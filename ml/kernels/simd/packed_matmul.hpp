// The product of packed weights with integer tokens, written once for every instruction set S,
// packed type P (packed_blocks.hpp) and kind of dot products D (packed_dots.hpp). Few tokens
// (exact only): weights go from memory through registers into the sums. Many: columns of weights
// are unpacked once and multiplied with all tokens. Both add up the same numbers in the same order.
#pragma once

#include "ml/kernels/packed.hpp"
#include "ml/kernels/simd/packed_dots.hpp"
#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

inline constexpr int kUnpackedColumns = 256;
/// How far ahead of a few tokens weights are asked for, and up to how many tokens memory is the
/// limit rather than multiplying: one panel at a time is then read faster than two.
inline constexpr std::size_t kPrefetchBytes = 9216;
inline constexpr std::int32_t kMemoryBoundTokens = 2;

/// What stands beside the weights of some columns of sixteen rows.
template <class P>
struct ColumnNumbers {
    static constexpr int kNumbers = kUnpackedColumns / P::kGroup * kLanes;
    alignas(64) float scales[kNumbers];
    alignas(64) float mins[kNumbers];
    alignas(64) std::int32_t starts[kNumbers];  ///< Of the sums of integers (FastDots).
};

/// sums[t] += (integers · w_scale) · x_scale[t], lane by lane: sixteen rows.
template <class S, int kTokens>
[[gnu::always_inline]] inline void fold_integers(const typename S::Ints* integers,
                                                 const float* w_scale,
                                                 const float* x_scales,
                                                 typename S::Vec* sums) {
    const auto scale = S::load(w_scale);
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) {
        const auto x_scale = S::set1(x_scales[t]);
        sums[t] = S::fma(S::to_float(integers[t]), S::mul(scale, x_scale), sums[t]);
    }
}

template <class S, int kTokens>
[[gnu::always_inline]] inline void fold_mins(const float* w_min,
                                             const float* x_sums,
                                             typename S::Vec* sums) {
    const auto min = S::load(w_min);
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) sums[t] = S::fnma(min, S::set1(x_sums[t]), sums[t]);
}

/// A run of 32 columns of kPanels panels; line(panel, step, out) gives their weights.
/// @param sums  [kPanels, kTokens]
template <class S, class P, class D, int kPanels, int kTokens, class Line>
[[gnu::always_inline]] inline void multiply_run(const Line& line,
                                                const ColumnNumbers<P>* numbers,
                                                const TileColumns<D::kPrecision, kTokens>& x,
                                                int run,
                                                typename S::Vec* sums) {
    constexpr int kParts = kTokenGroup / P::kGroup;
    constexpr int kStepColumns = D::kLines * D::kLineColumns;
    constexpr int kSteps = P::kGroup / kStepColumns;
#pragma GCC unroll 2
    for (int part = 0; part < kParts; ++part) {
        const int at = (run * kParts + part) * kLanes;
        typename S::Ints integers[kPanels * kTokens];
#pragma GCC unroll 16
        for (int i = 0; i < kPanels * kTokens; ++i)
            integers[i] =
                D::kHasStarts ? S::load_line(numbers[i / kTokens].starts + at) : S::zero_ints();
#pragma GCC unroll 8
        for (int step = part * kSteps; step < (part + 1) * kSteps; ++step) {
            typename S::Ints lines[kPanels][D::kLines];
#pragma GCC unroll 2
            for (int panel = 0; panel < kPanels; ++panel) line(panel, step, lines[panel]);
            const auto* q = x.q + (run * kTokenGroup + step * kStepColumns) * kTokens;
#pragma GCC unroll 8
            for (int t = 0; t < kTokens; ++t) {
#pragma GCC unroll 2
                for (int panel = 0; panel < kPanels; ++panel) {
                    auto& sum = integers[panel * kTokens + t];
                    sum = D::template add<kTokens>(sum, lines[panel], q + t * 4);
                }
            }
        }
#pragma GCC unroll 2
        for (int panel = 0; panel < kPanels; ++panel) {
            fold_integers<S, kTokens>(integers + panel * kTokens,
                                      numbers[panel].scales + at,
                                      x.scales + run * kTokens,
                                      sums + panel * kTokens);
        }
    }
    if constexpr (P::kHasMins) {
#pragma GCC unroll 2
        for (int panel = 0; panel < kPanels; ++panel)
            fold_mins<S, kTokens>(
                numbers[panel].mins + run * kLanes, x.sums + run * kTokens, sums + panel * kTokens);
    }
}

template <int kValue>
struct Constant {
    static constexpr int value = kValue;
};

/// Calls f(group, Constant of the phase) for every run of 32 columns of a tile, in ascending order.
template <class P, int kPhase = 0, class F>
[[gnu::always_inline]] inline void for_each_phase(int group, const F& f) {
    if constexpr (kPhase < P::kPhases) {
        f(group, Constant<kPhase>());
        for_each_phase<P, kPhase + 1>(group, f);
    }
}
template <class P, class F>
[[gnu::always_inline]] inline void for_each_run(const F& f) {
    for (int group = 0; group < P::kElements / kTokenGroup / P::kPhases; ++group)
        for_each_phase<P>(group, f);
}

/// Scales and mins of one tile, whose first column of the numbers is `col`.
template <class S, class P>
[[gnu::always_inline]] inline void read_numbers(const std::byte* tile,
                                                int col,
                                                ColumnNumbers<P>& out) {
    P::scales(tile, out.scales + col / P::kGroup * kLanes);
    if constexpr (P::kHasMins) P::mins(tile, out.mins + col / P::kGroup * kLanes);
}

/// Where the sums of one run of 32 columns begin; line(step, out) gives its weights.
template <class S, class P, class D, class Line>
[[gnu::always_inline]] inline void write_starts(const Line& line, int run, ColumnNumbers<P>& out) {
    constexpr int kParts = kTokenGroup / P::kGroup;
    constexpr int kSteps = P::kGroup / (D::kLines * D::kLineColumns);
    static constexpr std::uint8_t kOffsets[4] = {
        kByteOffset, kByteOffset, kByteOffset, kByteOffset};
#pragma GCC unroll 2
    for (int part = 0; part < kParts; ++part) {
        auto sum = S::zero_ints();
#pragma GCC unroll 8
        for (int step = part * kSteps; step < (part + 1) * kSteps; ++step) {
            typename S::Ints lines[D::kLines];
            line(step, lines);
            sum = D::template add<0>(sum, lines, kOffsets);
        }
        S::store_line(out.starts + (run * kParts + part) * kLanes, S::negate(sum));
    }
}

/// Sixteen sums of one token to its output; `n` of them count.
template <class S>
[[gnu::always_inline]] inline void put_rows(typename S::Vec sums,
                                            std::int32_t n,
                                            Store store,
                                            float* out) {
    if (n >= kLanes) {
        S::store(out, store == Store::kAdd ? S::add(S::load(out), sums) : sums);
        return;
    }
    alignas(64) float rows[kLanes];
    S::store(rows, sums);
    for (std::int32_t i = 0; i < n; ++i) out[i] = store == Store::kAdd ? out[i] + rows[i] : rows[i];
}

/// One tile of kPanels panels times kTokens tokens, without starts. @param x  From the tile's first
/// column on.
template <class S, class P, class D, int kPanels, int kTokens>
[[gnu::always_inline]] inline void multiply_tile(const std::byte* tile,
                                                 std::size_t panel_bytes,
                                                 const TileColumns<D::kPrecision, kTokens>& x,
                                                 typename S::Vec* sums) {
    ColumnNumbers<P> numbers[kPanels];
#pragma GCC unroll 2
    for (int panel = 0; panel < kPanels; ++panel)
        read_numbers<S, P>(tile + panel * panel_bytes, 0, numbers[panel]);
    // Asked for bit by bit: many requests at once would wait for each other.
    constexpr std::size_t kRuns = P::kElements / kTokenGroup;
    constexpr std::size_t kRunBytes =
        (P::kBytes / kRuns + kLineBytes - 1) / kLineBytes * kLineBytes;
    for_each_run<P>([&](int group, auto phase) __attribute__((always_inline)) {
        const int run = group * P::kPhases + phase.value;
#pragma GCC unroll 2
        for (int panel = 0; panel < kPanels; ++panel) {
            S::template prefetch<kRunBytes>(tile + panel * panel_bytes + kPrefetchBytes +
                                            static_cast<std::size_t>(run) * kRunBytes);
        }
        const auto line =
            [&](int panel, int step, typename S::Ints* lines) __attribute__((always_inline)) {
                D::template unpack<phase.value>(tile + panel * panel_bytes, group, step, lines);
            };
        multiply_run<S, P, D, kPanels, kTokens>(line, numbers, x, run, sums);
    });
}

/// Tokens [first_token, first_token + kTokens) times kPanels panels.
template <class S, class P, class D, int kPanels, int kTokens>
void multiply_in_registers(const PackedMatmulArgs& args,
                           std::int32_t first_row,
                           std::int32_t first_token) {
    const auto x = TileColumns<D::kPrecision, kTokens>::of(args.x, first_token, args.n_cols);
    const std::byte* tile =
        args.panels + static_cast<std::size_t>(first_row / kLanes) * args.panel_bytes;
    typename S::Vec sums[kPanels * kTokens];
#pragma GCC unroll 16
    for (int i = 0; i < kPanels * kTokens; ++i) sums[i] = S::zero();
    for (std::int32_t col = 0; col < args.n_cols; col += P::kElements, tile += P::kBytes)
        multiply_tile<S, P, D, kPanels, kTokens>(tile, args.panel_bytes, x.at(col), sums);
#pragma GCC unroll 2
    for (int panel = 0; panel < kPanels; ++panel) {
        const std::int32_t row = first_row + panel * kLanes;
#pragma GCC unroll 8
        for (int t = 0; t < kTokens; ++t) {
            float* out =
                args.out + static_cast<std::size_t>(first_token + t) * args.out_stride + row;
            put_rows<S>(sums[panel * kTokens + t], args.n_rows - row, args.store, out);
        }
    }
}

/// Calls f(first token, Constant of the size) for every tile of n tokens.
template <int kMost, class F>
void call_with_size(std::int32_t first, std::int32_t size, const F& f) {
    if (size == kMost) return f(first, Constant<kMost>());
    if constexpr (kMost > 1) call_with_size<kMost - 1>(first, size, f);
}
template <class S, class F>
void for_each_token_tile(std::int32_t n, const F& f) {
    for (std::int32_t i = 0; i < count_tiles(n, S::kPackedTokens); ++i) {
        const TokenTile tile = tile_at(i, n, S::kPackedTokens);
        call_with_size<S::kPackedTokens>(tile.first, tile.size, f);
    }
}

/// Some columns of sixteen rows, line after line.
template <class S, class P, class D>
struct UnpackedColumns {
    static constexpr int kRunLines = kTokenGroup / D::kLineColumns;
    alignas(64) std::byte lines[kUnpackedColumns / D::kLineColumns][kLineBytes];

    /// One step of a run.
    [[gnu::always_inline]] void load(int run, int step, typename S::Ints* out) const {
#pragma GCC unroll 4
        for (int i = 0; i < D::kLines; ++i)
            out[i] = S::load_line(lines[run * kRunLines + step * D::kLines + i]);
    }
};

/// @param n_cols  Whole blocks, at most kUnpackedColumns.
template <class S, class P, class D>
void unpack_columns(const std::byte* tile,
                    std::int32_t n_cols,
                    UnpackedColumns<S, P, D>& out,
                    ColumnNumbers<P>& numbers) {
    constexpr int kSteps = kTokenGroup / (D::kLines * D::kLineColumns);
    for (std::int32_t col = 0; col < n_cols; col += P::kElements, tile += P::kBytes) {
        read_numbers<S, P>(tile, col, numbers);
        for_each_run<P>([&](int group, auto phase) __attribute__((always_inline)) {
            const int run = col / kTokenGroup + group * P::kPhases + phase.value;
            auto* lines = out.lines + run * UnpackedColumns<S, P, D>::kRunLines;
#pragma GCC unroll 8
            for (int step = 0; step < kSteps; ++step) {
                typename S::Ints unpacked[D::kLines];
                D::template unpack<phase.value>(tile, group, step, unpacked);
#pragma GCC unroll 4
                for (int i = 0; i < D::kLines; ++i)
                    S::store_line(lines[step * D::kLines + i], unpacked[i]);
            }
            if constexpr (D::kHasStarts) {
                const auto line =
                    [&](int step, typename S::Ints* weights)
                        __attribute__((always_inline)) { out.load(run, step, weights); };
                write_starts<S, P, D>(line, run, numbers);
            }
        });
    }
}

/// sums [kTokens, kPanels, 16] += columns · tokens
template <class S, class P, class D, int kPanels, int kTokens>
void multiply_columns(const UnpackedColumns<S, P, D>* columns,
                      const ColumnNumbers<P>* numbers,
                      int n_runs,
                      const TileColumns<D::kPrecision, kTokens>& x,
                      float* sums) {
    typename S::Vec rows[kPanels * kTokens];
    const auto place = [&](int i) { return sums + (i % kTokens * kPanels + i / kTokens) * kLanes; };
#pragma GCC unroll 16
    for (int i = 0; i < kPanels * kTokens; ++i) rows[i] = S::load(place(i));
    for (int run = 0; run < n_runs; ++run) {
        const auto line =
            [&](int panel, int step, typename S::Ints* lines)
                __attribute__((always_inline)) { columns[panel].load(run, step, lines); };
        multiply_run<S, P, D, kPanels, kTokens>(line, numbers, x, run, rows);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kPanels * kTokens; ++i) S::store(place(i), rows[i]);
}

template <class S, class P, class D, int kPanels>
void multiply_by_columns(const PackedMatmulArgs& args, std::int32_t first_row) {
    UnpackedColumns<S, P, D> unpacked[kPanels];
    ColumnNumbers<P> numbers[kPanels];
    alignas(64) float sums[kMatmulTokens * kPanels * kLanes];
    const std::byte* panels =
        args.panels + static_cast<std::size_t>(first_row / kLanes) * args.panel_bytes;
    for (std::int32_t i = 0; i < args.n_tokens * kPanels; ++i)
        S::store(sums + i * kLanes, S::zero());
    for (std::int32_t col = 0; col < args.n_cols; col += kUnpackedColumns) {
        const std::int32_t left = args.n_cols - col;
        const std::int32_t n_cols = left < kUnpackedColumns ? left : kUnpackedColumns;
        const std::byte* tile = panels + static_cast<std::size_t>(col / P::kElements) * P::kBytes;
        // Asked for now, read when all tokens are through: the next columns, or the next panels.
        constexpr std::size_t kBytes = kUnpackedColumns / P::kElements * P::kBytes;
        const std::byte* next =
            left > kUnpackedColumns ? tile + kBytes : panels + kPanels * args.panel_bytes;
        for (int panel = 0; panel < kPanels; ++panel) {
            S::template prefetch<kBytes>(next + panel * args.panel_bytes);
            unpack_columns<S, P, D>(
                tile + panel * args.panel_bytes, n_cols, unpacked[panel], numbers[panel]);
        }
        for_each_token_tile<S>(args.n_tokens, [&](std::int32_t first, auto size) {
            const auto x =
                TileColumns<D::kPrecision, size.value>::of(args.x, first, args.n_cols).at(col);
            multiply_columns<S, P, D, kPanels, size.value>(
                unpacked, numbers, n_cols / kTokenGroup, x, sums + first * kPanels * kLanes);
        });
    }
    for (std::int32_t i = 0; i < args.n_tokens * kPanels; ++i) {
        const std::int32_t row = first_row + i % kPanels * kLanes;
        float* out = args.out + static_cast<std::size_t>(i / kPanels) * args.out_stride + row;
        put_rows<S>(S::load(sums + i * kLanes), args.n_rows - row, args.store, out);
    }
}

/// Whichever way is faster.
template <class S, class P, class D, int kPanels>
void multiply_panels(const PackedMatmulArgs& args, std::int32_t first_row) {
    if (D::kHasStarts || args.n_tokens > S::kRegisterTokens)
        return multiply_by_columns<S, P, D, kPanels>(args, first_row);
    for_each_token_tile<S>(args.n_tokens, [&](std::int32_t first, auto size) {
        multiply_in_registers<S, P, D, kPanels, size.value>(args, first_row, first);
    });
}

template <class S, class P, Precision kPrecision>
void packed_matmul(const PackedMatmulArgs& args) noexcept {
    using D = typename DotsOf<S, P, kPrecision>::Type;
    constexpr int kRows = S::kPackedPanels * kLanes;
    std::int32_t row = 0;
    if (args.n_tokens <= kMemoryBoundTokens) {
        for (; row < args.n_rows; row += kLanes) multiply_panels<S, P, D, 1>(args, row);
        return;
    }
    // More than the rows of all but the last panel: the last one may be used in part.
    for (; row + kRows - kLanes < args.n_rows; row += kRows)
        multiply_panels<S, P, D, S::kPackedPanels>(args, row);
    if (row < args.n_rows) multiply_panels<S, P, D, 1>(args, row);
}

}  // namespace notso::ml::kernels
