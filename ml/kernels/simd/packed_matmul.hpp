// The product of packed weights with integer tokens, written once for every instruction set S,
// packed type P (packed_blocks.hpp) and kind of dot products D (packed_dots.hpp). Few tokens:
// weights go from memory through registers into the sums. Many: columns of weights
// are unpacked once and multiplied with all tokens. Both add up the same numbers in the same order.
#pragma once

#include "ml/kernels/packed.hpp"
#include "ml/kernels/simd/packed_fold.hpp"
#include "ml/kernels/simd/prefetch.hpp"
#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

/// How far ahead weights are asked for.
inline constexpr std::size_t kPrefetchBytes = 9216;
/// The same for a few tokens of a packed type P.
template <class P, bool kIntoL2>
inline constexpr std::size_t kAheadBytes = kIntoL2 ? P::kAheadBytes : kPrefetchBytes;
/// How many tokens wait for memory longer than they are multiplied: weights are asked for again.
inline constexpr int kTokensOfAgain = 2;

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

/// Some columns of neighbouring panels, and what memory is asked for while they are multiplied.
struct TileWeights {
    const std::byte* tile;   ///< Of the first panel; the others are panel_bytes apart.
    const std::byte* ahead;  ///< As much as the tile, panel_bytes apart too; null for nothing.
    const std::byte* again;  ///< The same, asked for once more.
    std::size_t panel_bytes;
};

/// One tile of kPanels panels times kTokens tokens. @param x  From the tile's first column on.
template <class S, class P, class D, bool kIntoL2, int kPanels, int kTokens>
[[gnu::always_inline]] inline void multiply_tile(const TileWeights& weights,
                                                 const TileColumns<D::kPrecision, kTokens>& x,
                                                 typename S::Vec* sums) {
    NumbersOf<S, P, D> numbers[kPanels];
#pragma GCC unroll 2
    for (int panel = 0; panel < kPanels; ++panel)
        numbers[panel].read(weights.tile + panel * weights.panel_bytes, 0);
    BlockSums<S, kPanels, kTokens> block;
    if constexpr (D::kSums == FastSums::kBlocks) block.clear();
    // Asked for bit by bit: many requests at once would wait for each other.
    constexpr std::size_t kRuns = P::kElements / kTokenGroup;
    constexpr std::size_t kRunBytes =
        (P::kBytes / kRuns + kLineBytes - 1) / kLineBytes * kLineBytes;
    for_each_run<P>([&](int group, auto phase) __attribute__((always_inline)) {
        const int run = group * P::kPhases + phase.value;
        const auto ask = [&](const std::byte* from) __attribute__((always_inline)) {
            if (from == nullptr) return;
#pragma GCC unroll 2
            for (int panel = 0; panel < kPanels; ++panel)
                prefetch<kRunBytes, kIntoL2>(from + panel * weights.panel_bytes +
                                             static_cast<std::size_t>(run) * kRunBytes);
        };
        ask(weights.ahead);
        ask(weights.again);
        if constexpr (kIntoL2 && P::kNearBytes > 0) {
            if (weights.ahead != nullptr)
                prefetch<kRunBytes>(weights.tile + P::kNearBytes +
                                    static_cast<std::size_t>(run) * kRunBytes);
        }
        const auto line =
            [&](int panel, int step, typename S::Ints* lines) __attribute__((always_inline)) {
                D::template unpack<phase.value>(
                    weights.tile + panel * weights.panel_bytes, group, step, lines);
            };
        if constexpr (D::kSums == FastSums::kBlocks) {
            multiply_block_run<S, P, D, phase.value % 2 == 1>(line, numbers, x, run, block);
        } else {
            multiply_run<S, P, D, phase.value, kPanels, kTokens>(line, numbers, x, run, sums);
        }
    });
    if constexpr (D::kSums == FastSums::kBlocks) fold_block<S, P, D>(block, numbers, x, sums);
}

/// Behind the last panel.
inline const std::byte* end_of_panels(const PackedMatmulArgs& args) {
    return args.panels +
           static_cast<std::size_t>((args.n_rows + kLanes - 1) / kLanes) * args.panel_bytes;
}

/// Says what to ask for beside the columns that are multiplied.
template <int kPanels, std::size_t kAhead>
class Asking {
  public:
    Asking(const PackedMatmulArgs& args, std::int32_t first_token, std::int32_t n_tokens_of_tile)
        : end_(end_of_panels(args)),
          next_(args.next),
          panel_bytes_(args.panel_bytes),
          n_passes_(count_tiles(args.n_tokens, args.x.tiles)),
          turn_(first_token / n_tokens_of_tile) {}

    /// Called for columns one after the other.
    /// @param at  Bytes from the beginning of a panel.
    /// @return Null for nothing.
    [[gnu::always_inline]] const std::byte* beside(const std::byte* tile, std::size_t at) {
        const std::byte* ahead = nullptr;
        if (n_passes_ == 1 || kPanels == 1) {
            // A little further on, and behind the panels' end the next ones. Later tiles of few
            // tokens go through a panel that the first one has read.
            if (turn_ != 0) return nullptr;
            const bool is_next = at + kAhead >= panel_bytes_;
            ahead = tile + kAhead + (is_next ? (kPanels - 1) * panel_bytes_ : 0);
        } else {
            // Multiplying takes longer than reading: each tile of tokens asks for a part of the
            // next panels, so that memory is busy all the time.
            const bool is_mine = turn_ == 0;
            turn_ = is_mine ? n_passes_ - 1 : turn_ - 1;
            if (!is_mine) return nullptr;
            ahead = tile + kPanels * panel_bytes_;
        }
        return place(ahead);
    }
    /// The same half as far on, of one panel.
    [[gnu::always_inline]] const std::byte* again(const std::byte* tile) const {
        static_assert(kPanels == 1);
        return turn_ == 0 ? place(tile + kAhead / 2) : nullptr;
    }

  private:
    [[gnu::always_inline]] const std::byte* place(const std::byte* ahead) const {
        if (ahead < end_) return ahead;
        return next_ != nullptr ? next_ + (ahead - end_) : nullptr;
    }

    const std::byte* end_;
    const std::byte* next_;
    std::size_t panel_bytes_;
    std::int32_t n_passes_;  // tiles of tokens
    std::int32_t turn_;      // columns until this one's turn; number of the tile where all is one's
};

/// Tokens [first_token, first_token + kTokens) times kPanels panels.
template <class S, class P, class D, bool kIntoL2, int kPanels, int kTokens>
void multiply_in_registers(const PackedMatmulArgs& args,
                           std::int32_t first_row,
                           std::int32_t first_token) {
    const std::byte* panels =
        args.panels + static_cast<std::size_t>(first_row / kLanes) * args.panel_bytes;
    typename S::Vec sums[kPanels * kTokens];
#pragma GCC unroll 16
    for (int i = 0; i < kPanels * kTokens; ++i) sums[i] = S::zero();
    Asking<kPanels, kAheadBytes<P, kIntoL2>> asking(args, first_token, kTokens);
    const std::byte* tile = panels;
    for (std::int32_t col = 0; col < args.n_cols; col += P::kElements, tile += P::kBytes) {
        const auto at = static_cast<std::size_t>(tile - panels);
        TileWeights weights{.tile = tile,
                            .ahead = asking.beside(tile, at),
                            .again = nullptr,
                            .panel_bytes = args.panel_bytes};
        if constexpr (kIntoL2 && kTokens <= kTokensOfAgain) weights.again = asking.again(tile);
        const auto x =
            TileColumns<D::kPrecision, kTokens>::at(args.x, first_token, args.n_tokens, col);
        multiply_tile<S, P, D, kIntoL2, kPanels, kTokens>(weights, x, sums);
    }
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

/// Calls f(first token, Constant of the size) for tiles of one size that follow each other.
template <int kMost, class F>
void call_with_size(std::int32_t first, std::int32_t size, std::int32_t n_tiles, const F& f) {
    if (size == kMost) {
        for (std::int32_t i = 0; i < n_tiles; ++i) f(first + i * kMost, Constant<kMost>());
        return;
    }
    if constexpr (kMost > 1) call_with_size<kMost - 1>(first, size, n_tiles, f);
}
/// The same for every tile of tokens. @tparam kMost  The most of a tile.
template <int kMost, class F>
void for_each_token_tile(const PackedMatmulArgs& args, const F& f) {
    const std::int32_t n = args.n_tokens;
    const std::int32_t n_tiles = count_tiles(n, args.x.tiles);
    const std::int32_t size = n / n_tiles;
    const std::int32_t n_larger = n % n_tiles;
    if (n_larger > 0) call_with_size<kMost>(0, size + 1, n_larger, f);
    call_with_size<kMost>(n_larger * (size + 1), size, n_tiles - n_larger, f);
}

/// Some columns of sixteen rows, line after line.
template <class S, class P, class D>
struct UnpackedColumns {
    static constexpr int kRunLines = kTokenGroup / D::kLineColumns;
    alignas(64) std::byte lines[kUnpackedColumns / D::kLineColumns][kLineBytes];

    /// One step of a run.
    [[gnu::always_inline]] void load(int run, int step, typename S::Ints* out) const {
#pragma GCC unroll 8
        for (int i = 0; i < D::kLines; ++i)
            out[i] = S::load_line(lines[run * kRunLines + step * D::kLines + i]);
    }
};

/// @param n_cols  Whole blocks, at most kUnpackedColumns.
template <class S, class P, class D>
void unpack_columns(const std::byte* tile,
                    std::int32_t n_cols,
                    UnpackedColumns<S, P, D>& out,
                    NumbersOf<S, P, D>& numbers) {
    constexpr int kSteps = kTokenGroup / (D::kLines * D::kLineColumns);
    for (std::int32_t col = 0; col < n_cols; col += P::kElements, tile += P::kBytes) {
        numbers.read(tile, col);
        for_each_run<P>([&](int group, auto phase) __attribute__((always_inline)) {
            const int run = col / kTokenGroup + group * P::kPhases + phase.value;
            auto* lines = out.lines + run * UnpackedColumns<S, P, D>::kRunLines;
#pragma GCC unroll 8
            for (int step = 0; step < kSteps; ++step) {
                typename S::Ints unpacked[D::kLines];
                D::template unpack<phase.value>(tile, group, step, unpacked);
#pragma GCC unroll 8
                for (int i = 0; i < D::kLines; ++i)
                    S::store_line(lines[step * D::kLines + i], unpacked[i]);
            }
        });
    }
}

/// sums [kTokens, kPanels, 16] += columns · tokens
template <class S, class P, class D, int kPanels, int kTokens>
void multiply_columns(const UnpackedColumns<S, P, D>* columns,
                      const NumbersOf<S, P, D>* numbers,
                      int n_runs,
                      const TileColumns<D::kPrecision, kTokens>& x,
                      float* sums) {
    const auto line_of = [&](int run) __attribute__((always_inline)) {
        return [columns, run](int panel, int step, typename S::Ints* lines)
                   __attribute__((always_inline)) { columns[panel].load(run, step, lines); };
    };
    typename S::Vec rows[kPanels * kTokens];
    const auto place = [&](int i) { return sums + (i % kTokens * kPanels + i / kTokens) * kLanes; };
    const auto load = [&]() __attribute__((always_inline)) {
#pragma GCC unroll 16
        for (int i = 0; i < kPanels * kTokens; ++i) rows[i] = S::load(place(i));
    };
    if constexpr (D::kSums == FastSums::kBlocks) {
        BlockSums<S, kPanels, kTokens> block;
        block.clear();
        for (int run = 0; run < n_runs; run += 2) {
            multiply_block_run<S, P, D, false>(line_of(run), numbers, x, run, block);
            multiply_block_run<S, P, D, true>(line_of(run + 1), numbers, x, run + 1, block);
        }
        load();
        fold_block<S, P, D>(block, numbers, x, rows);
    } else {
        load();
        for (int run = 0; run < n_runs; ++run)
            multiply_run<S, P, D, 0, kPanels, kTokens>(line_of(run), numbers, x, run, rows);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kPanels * kTokens; ++i) S::store(place(i), rows[i]);
}

template <class S, class P, class D, int kPanels>
void multiply_by_columns(const PackedMatmulArgs& args, std::int32_t first_row) {
    UnpackedColumns<S, P, D> unpacked[kPanels];
    NumbersOf<S, P, D> numbers[kPanels];
    alignas(64) float sums[kMatmulTokens * kPanels * kLanes];
    const std::byte* panels =
        args.panels + static_cast<std::size_t>(first_row / kLanes) * args.panel_bytes;
    for (std::int32_t i = 0; i < args.n_tokens * kPanels; ++i)
        S::store(sums + i * kLanes, S::zero());
    const auto n_tiles = static_cast<std::size_t>(count_tiles(args.n_tokens, args.x.tiles));
    static_assert(kUnpackedColumns == kTokenBlock);
    for (std::int32_t col = 0; col < args.n_cols; col += kUnpackedColumns) {
        const std::int32_t left = args.n_cols - col;
        const std::int32_t n_cols = left < kUnpackedColumns ? left : kUnpackedColumns;
        const std::byte* tile = panels + static_cast<std::size_t>(col / P::kElements) * P::kBytes;
        constexpr std::size_t kBytes = kUnpackedColumns / P::kElements * P::kBytes;
        for (int panel = 0; panel < kPanels; ++panel)
            unpack_columns<S, P, D>(
                tile + panel * args.panel_bytes, n_cols, unpacked[panel], numbers[panel]);
        // Read when all tokens are through: the next columns, or the next panels. Asked for tile by
        // tile: many requests at once would wait for each other.
        const std::byte* next =
            left > kUnpackedColumns ? tile + kBytes : panels + kPanels * args.panel_bytes;
        const std::size_t part = (kBytes / kLineBytes + n_tiles - 1) / n_tiles * kLineBytes;
        std::size_t asked = 0;
        for_each_token_tile<S::kTiles.most>(args, [&](std::int32_t first, auto size) {
            const auto x =
                TileColumns<D::kPrecision, size.value>::at(args.x, first, args.n_tokens, col);
            const std::size_t last = asked + part < kBytes ? asked + part : kBytes;
            for (; asked < last; asked += kLineBytes)
                for (int panel = 0; panel < kPanels; ++panel)
                    prefetch<kLineBytes>(next + panel * args.panel_bytes + asked);
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

/// Tile of tokens by tile, unpacking for each of them.
template <class S, class P, class D, int kPanels>
void multiply_tiles(const PackedMatmulArgs& args, std::int32_t first_row) {
    for_each_token_tile<S::kTiles.most>(args, [&](std::int32_t first, auto size) {
        multiply_in_registers<S, P, D, false, kPanels, size.value>(args, first_row, first);
    });
}

/// Many tokens, whichever way is faster.
template <class S, class P, class D, int kPanels>
void multiply_panels(const PackedMatmulArgs& args, std::int32_t first_row) {
    if constexpr (S::template kNeverStores<P>) {
        multiply_tiles<S, P, D, kPanels>(args, first_row);
    } else {
        multiply_by_columns<S, P, D, kPanels>(args, first_row);
    }
}

/// What the first panels begin with, at once.
template <class P, int kPanels, bool kIntoL2 = false>
void ask_for_begin(const PackedMatmulArgs& args) {
    for (std::size_t i = 0; i < kAheadBytes<P, kIntoL2> / kPanels; i += kLineBytes) {
        for (int panel = 0; panel < kPanels; ++panel)
            prefetch<kLineBytes, kIntoL2>(args.panels + panel * args.panel_bytes + i);
    }
}

/// Few tokens, one panel at a time.
template <class S, class P, Precision kPrecision, bool kIntoL2>
void multiply_few(const PackedMatmulArgs& args) {
    ask_for_begin<P, 1, kIntoL2>(args);
    for (std::int32_t row = 0; row < args.n_rows; row += kLanes) {
        for_each_token_tile<S::kTiles.most_of_few>(args, [&](std::int32_t first, auto size) {
            using D = typename DotsOf<S, P, kPrecision>::template OfFew<size.value>;
            multiply_in_registers<S, P, D, kIntoL2, 1, size.value>(args, row, first);
        });
    }
}

template <class S, class P, Precision kPrecision>
void packed_matmul(const PackedMatmulArgs& args) noexcept {
    using D = typename DotsOf<S, P, kPrecision>::Type;
    constexpr int kRows = S::kPackedPanels * kLanes;
    if (args.n_tokens <= args.x.tiles.few) {
        return args.into_l2 ? multiply_few<S, P, kPrecision, true>(args)
                            : multiply_few<S, P, kPrecision, false>(args);
    }
    std::int32_t row = 0;
    ask_for_begin<P, S::kPackedPanels>(args);
    // More than the rows of all but the last panel: the last one may be used in part.
    for (; row + kRows - kLanes < args.n_rows; row += kRows)
        multiply_panels<S, P, D, S::kPackedPanels>(args, row);
    if (row < args.n_rows) multiply_panels<S, P, D, 1>(args, row);
}

}  // namespace notso::ml::kernels
