// The fast product of packed weights with tokens by tiles T (tiles.hpp), of a packed type P: both
// are bf16. Two panels are made into operands for a slab of columns, then multiplied with all
// tokens, whose sums stay in registers meanwhile. Nothing is gained where making and multiplying
// alternate: they want the same port of the core.
#pragma once

#include "ml/kernels/amx/strips.hpp"
#include "ml/kernels/amx/weights.hpp"

namespace notso::ml::kernels {

template <class T, class P>
class FastTileProduct {
  public:
    explicit FastTileProduct(const PackedMatmulArgs& args)
        : strips_(args), block_bytes_(args.n_tokens * (kBlockRuns * Tokens::kRowBytes)) {}

    void run() noexcept {
        T::begin({.n_tokens = strips_.tile_tokens(), .n_columns = kTokenGroup});
        strips_.template run<kPanels>([this](const StripBlock& block) {
            for (int panel = 0; panel < block.n_panels; ++panel) make(block, panel);
            if (block.n_panels == kPanels) {
                multiply<kPanels>(block);
            } else {
                multiply<1>(block);
            }
        });
        T::end();
    }

  private:
    using S = Avx512;
    using Strips = TileStrips<P, Precision::kFast>;
    using Tokens = TileTokens<Precision::kFast>;
    static constexpr int kPanels = 2;
    static constexpr int kMostTiles = 2;  ///< Of tokens at once.
    // Registers of a panel's weights and of a tile of tokens. One of each kind is left alone: where
    // the host is busy, tiles multiply faster with fewer registers in use (ADR 0012).
    static constexpr int kWeights = 4;
    static constexpr int kTokens = 6;
    static constexpr int kBlockRuns = kTokenBlock / kTokenGroup;
    static constexpr int kRunLines = kTokenGroup / 2;
    static constexpr int kParts = kTokenGroup / P::kGroup;  ///< Of a run of 32 columns.
    static constexpr int kTileRuns = P::kElements / kTokenGroup;
    static constexpr std::size_t kRunBytes = P::kBytes / kTileRuns;

    /// Makes operands of a panel of a block.
    void make(const StripBlock& block, int panel) {
        const std::byte* tile =
            block.weights + static_cast<std::size_t>(panel) * strips_.panel_bytes();
        ColumnNumbers<S, P, FastSums::kGroups> numbers;
        auto* lines = lines_ + panel;
        for (std::int32_t col = 0; col < block.n_cols; col += P::kElements, tile += P::kBytes) {
            numbers.read(tile, 0);
            for_each_run<P>([&](int group, auto phase) __attribute__((always_inline)) {
                const int run = group * P::kPhases + phase.value;
                prefetch<kRunBytes>(tile + kPrefetchBytes +
                                    static_cast<std::size_t>(run) * kRunBytes);
                for_each_index<kParts>([&](auto part) __attribute__((always_inline)) {
                    const std::ptrdiff_t at = std::ptrdiff_t{run * kParts + part.value} * kLanes;
                    constexpr int kSteps = 8 / kParts;
                    make_lines<P, phase.value, part.value * kSteps, (part.value + 1) * kSteps>(
                        scaled_lines(numbers, at), tile, group, *lines);
                });
                lines += kPanels;
            });
        }
    }

    static ScaledLines<P> scaled_lines(const ColumnNumbers<S, P, FastSums::kGroups>& numbers,
                                       std::ptrdiff_t at) {
        const auto scale = S::load(numbers.scales + at);
        auto least = S::mul(scale, S::set1(static_cast<float>(-P::kOffset)));
        if constexpr (P::kHasMins) least = S::sub(least, S::load(numbers.mins + at));
        return {S::plain_nan(scale), S::plain_nan(least)};
    }

    /// All tokens times kUsed panels.
    template <int kUsed>
    void multiply(const StripBlock& block) {
        for (std::int32_t index = 0; index < strips_.n_tiles(); index += kMostTiles) {
            if (index + 1 < strips_.n_tiles()) {
                multiply_tiles<kUsed, kMostTiles>(block, index);
            } else {
                multiply_tiles<kUsed, 1>(block, index);
            }
        }
    }

    /// Tiles of tokens from `index` on times kUsed panels.
    template <int kUsed, int kTiles>
    void multiply_tiles(const StripBlock& block, std::int32_t index) {
        const std::byte* rows[kTiles];
        std::ptrdiff_t run_bytes[kTiles];
        TokenTile tiles[kTiles];
        for (int i = 0; i < kTiles; ++i) {
            const typename Strips::Tile tile = strips_.tile(index + i, block.col);
            tiles[i] = tile;
            rows[i] = tile.q;
            run_bytes[i] = tile.size * Tokens::kRowBytes;
        }
        for_each_sum<kUsed, kTiles>([&](auto tile, auto panel, auto sum) {
            if (block.col == 0) {
                T::template clear<sum.value>();
            } else {
                T::template load<sum.value>(
                    strips_.sums(block.panel + panel.value, index + tile.value), kLineBytes);
            }
        });
        const auto* weights = lines_;
        for (std::int32_t col = 0; col < block.n_cols; col += kTokenBlock) {
            const std::int32_t left = block.n_cols - col;
            const int n_runs = (left < kTokenBlock ? left : kTokenBlock) / kTokenGroup;
            for (int run = 0; run < n_runs; ++run, weights += kPanels)
                multiply_run<kUsed, kTiles>(weights, rows, run, run_bytes);
            for (int i = 0; i < kTiles; ++i) rows[i] += block_bytes_;
        }
        for_each_sum<kUsed, kTiles>([&](auto tile, auto panel, auto sum) {
            const std::int32_t at = block.panel + panel.value;
            if (strips_.is_last(block) && at < strips_.n_whole(tiles[tile.value])) {
                T::template store<sum.value>(strips_.output(at, tiles[tile.value]),
                                             strips_.output_bytes());
            } else {
                T::template store<sum.value>(strips_.sums(at, index + tile.value), kLineBytes);
            }
        });
    }

    /// A run of columns. Tokens come to their register in turn, forwards and backwards.
    template <int kUsed, int kTiles>
    [[gnu::always_inline]] static void multiply_run(
        const std::byte (*weights)[kRunLines][kLineBytes],
        const std::byte* const* rows,
        int run,
        const std::ptrdiff_t* run_bytes) {
        for_each_index<kUsed>([&](auto panel) __attribute__((always_inline)) {
            T::template load<kWeights>(weights[panel.value], kLineBytes);
            for_each_index<kTiles>([&](auto turn) __attribute__((always_inline)) {
                constexpr int kTile = panel.value == 0 ? turn.value : kTiles - 1 - turn.value;
                if constexpr (panel.value == 0 || turn.value > 0)
                    T::template load<kTokens>(rows[kTile] + run * run_bytes[kTile],
                                              Tokens::kRowBytes);
                T::template multiply<kTile * kUsed + panel.value, kTokens, kWeights>();
            });
        });
    }
    /// Calls f(tile, panel, register) for the sums of kTiles tiles and kUsed panels.
    template <int kUsed, int kTiles, class F>
    [[gnu::always_inline]] static void for_each_sum(const F& f) {
        for_each_index<kTiles * kUsed>([&](auto sum) __attribute__((always_inline)) {
            f(Constant<sum.value / kUsed>(), Constant<sum.value % kUsed>(), sum);
        });
    }

    Strips strips_;
    std::ptrdiff_t block_bytes_;  ///< Of all tokens.
    /// Operands of a block: of each run of 32 columns those of its panels.
    alignas(4096)
        std::byte lines_[Strips::kBlockColumns / kTokenGroup * kPanels][kRunLines][kLineBytes];
};

}  // namespace notso::ml::kernels
