// The fast product of packed weights with tokens by tiles T (tiles.hpp), of a packed type P: both
// are bf16, and tile registers add up all columns of a block. While they multiply one block, the
// next is made into bf16.
#pragma once

#include "ml/kernels/amx/strips.hpp"
#include "ml/kernels/amx/weights.hpp"

namespace notso::ml::kernels {

template <class T, class P>
class FastTileProduct {
  public:
    explicit FastTileProduct(const PackedMatmulArgs& args) : strips_(args) {}

    void run() noexcept {
        T::begin({.n_tokens = strips_.tile_tokens(), .n_columns = kTokenGroup});
        strips_.template run<kPanels>([this](const StripBlock& block, const StripBlock& next) {
            if (made_ != block.weights) {
                Making making(block, strips_, lines_[turn_]);
                while (!making.is_done()) making.step();
            }
            Making making(next, strips_, lines_[turn_ ^ 1]);
            if (block.n_panels == kPanels) {
                multiply<kPanels>(block, making);
            } else {
                multiply<1>(block, making);
            }
            while (!making.is_done()) making.step();
            made_ = next.weights;
            turn_ ^= 1;
        });
        T::end();
    }

  private:
    using S = Avx512;
    using Strips = TileStrips<P, Precision::kFast>;
    using Tokens = TileTokens<Precision::kFast>;
    using Tile = typename Strips::Tile;
    static constexpr int kPanels = 2;
    static constexpr int kBlockRuns = kTokenBlock / kTokenGroup;
    static constexpr int kRunLines = kTokenGroup / 2;
    /// Sixteen rows of a block of columns as operands.
    using Lines = std::byte[kBlockRuns][kRunLines][kLineBytes];

    /// Makes operands of a block, run of 32 columns by run, a quarter at a time.
    class Making {
      public:
        Making(const StripBlock& block, const Strips& strips, Lines* out)
            : weights_(block.weights),
              strips_(strips),
              out_(out),
              n_runs_(block.n_cols / kTokenGroup),
              n_left_(n_runs_ * block.n_panels * kPieces) {}

        bool is_done() const { return n_left_ == 0; }
        /// Quarters of a run that are left.
        int n_left() const { return n_left_; }
        /// Makes a quarter of a run.
        void step() {
            const std::byte* tile = weights_ + run_ / kTileRuns * P::kBytes;
            if (run_ % kTileRuns == 0 && piece_ == 0) numbers_.read(tile, 0);
            if (piece_ == 0) {  // memory is asked for what is read later
                prefetch<kRunBytes>(strips_.ahead(tile, kPanels) + run_ % kTileRuns * kRunBytes);
            }
            make_piece(tile, run_ % kTileRuns, (*out_)[run_]);
            --n_left_;
            if (++piece_ < kPieces) return;
            piece_ = 0;
            if (++run_ < n_runs_) return;
            run_ = 0;
            ++out_;
            weights_ += strips_.panel_bytes();
        }

      private:
        static constexpr int kPieces = 2;
        static constexpr int kTileRuns = P::kElements / kTokenGroup;
        static constexpr std::size_t kRunBytes = P::kBytes / kTileRuns;

        /// @tparam kIndex  Of the phase and the piece, which must be constants.
        template <int kIndex = 0>
        void make_piece(const std::byte* tile, int run, std::byte (*lines)[kLineBytes]) const {
            if constexpr (kIndex < P::kPhases * kPieces) {
                if (run % P::kPhases * kPieces + piece_ != kIndex)
                    return make_piece<kIndex + 1>(tile, run, lines);
                make_lines<kIndex / kPieces, kIndex % kPieces>(tile, run, lines);
            }
        }
        template <int kPhase, int kPiece>
        void make_lines(const std::byte* tile, int run, std::byte (*lines)[kLineBytes]) const {
            constexpr int kParts = kTokenGroup / P::kGroup;
            constexpr int kSteps = 8 / kPieces;
            static_assert(kPieces >= kParts);
            const std::ptrdiff_t at =
                std::ptrdiff_t{run * kParts + kPiece * kParts / kPieces} * kLanes;
            const auto scale = S::load(numbers_.scales + at);
            auto least = S::mul(scale, S::set1(static_cast<float>(-P::kOffset)));
            if constexpr (P::kHasMins) least = S::sub(least, S::load(numbers_.mins + at));
            const ScaledLines<P> scaled{S::plain_nan(scale), S::plain_nan(least)};
#pragma GCC unroll 8
            for (int step = kPiece * kSteps; step < (kPiece + 1) * kSteps; ++step) {
                __m512i made[2];
                scaled.make(P::template bytes<kPhase>(tile, run / P::kPhases, step), made);
                S::store_line(lines[2 * step], made[0]);
                S::store_line(lines[2 * step + 1], made[1]);
            }
        }

        const std::byte* weights_;
        const Strips& strips_;
        Lines* out_;
        int n_runs_;
        int n_left_;
        int run_ = 0;
        int piece_ = 0;
        ColumnNumbers<S, P, FastSums::kGroups> numbers_;
    };

    template <int kUsed>
    void multiply(const StripBlock& block, Making& making) {
        const int n_runs = block.n_cols / kTokenGroup;
        const int n_pairs = (strips_.n_tiles() + 1) / 2;
        Progress progress{making, n_pairs * n_runs, making.n_left()};
        for (std::int32_t index = 0; index < strips_.n_tiles(); index += 2) {
            if (index + 1 < strips_.n_tiles()) {
                multiply_tiles<kUsed, 2>(block, index, progress);
            } else {
                multiply_tiles<kUsed, 1>(block, index, progress);
            }
        }
    }

    /// Spreads the making of a block over `n_turns` multiplications.
    struct Progress {
        Making& making;
        int n_turns;
        int n_steps;
        int turn = 0;

        void advance() {
            ++turn;
            while (!making.is_done() && (n_steps - making.n_left()) * n_turns < turn * n_steps)
                making.step();
        }
    };

    /// Tiles of tokens from `index` on times kUsed panels.
    template <int kUsed, int kTiles>
    void multiply_tiles(const StripBlock& block, std::int32_t index, Progress& progress) {
        const std::byte* rows[kTiles];
        std::ptrdiff_t run_bytes[kTiles];
        for (int i = 0; i < kTiles; ++i) {
            const Tile tile = strips_.tile(index + i, block.col);
            rows[i] = tile.q;
            run_bytes[i] = tile.size * Tokens::kRowBytes;
        }
        for_each_sum<kUsed, kTiles>([&](auto tile, auto panel, auto sum) {
            T::template load<sum.value>(strips_.sums(block.panel + panel.value, index + tile.value),
                                        kLineBytes);
        });
        const Lines* weights = lines_[turn_];
        for (int run = 0; run < block.n_cols / kTokenGroup; ++run) {
            for_each_index<kUsed>([&](auto panel) __attribute__((always_inline)) {
                T::template load<4 + panel.value>(weights[panel.value][run], kLineBytes);
            });
            for_each_index<kTiles>([&](auto tile) __attribute__((always_inline)) {
                T::template load<6 + tile.value>(rows[tile.value], Tokens::kRowBytes);
                rows[tile.value] += run_bytes[tile.value];
            });
            for_each_sum<kUsed, kTiles>(
                [&](auto tile, auto panel, auto sum) __attribute__((always_inline)) {
                    T::template multiply<sum.value, 6 + tile.value, 4 + panel.value>();
                });
            progress.advance();
        }
        for_each_sum<kUsed, kTiles>([&](auto tile, auto panel, auto sum) {
            T::template store<sum.value>(
                strips_.sums(block.panel + panel.value, index + tile.value), kLineBytes);
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
    alignas(64) Lines lines_[2][kPanels];
    int turn_ = 0;                     ///< Lines of the block at hand.
    const std::byte* made_ = nullptr;  ///< Weights whose lines stand there.
};

}  // namespace notso::ml::kernels
