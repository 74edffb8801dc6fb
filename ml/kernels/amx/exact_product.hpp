// The exact product of packed weights with tokens by tiles T (tiles.hpp), of a packed type P. A
// part, the columns that share a scale, is summed in a tile register: exactly, since whole numbers
// below 2^24 are exact in f32. Some parts are then scaled and added up as every instruction set
// does it (../packed.hpp).
#pragma once

#include "ml/kernels/amx/strips.hpp"
#include "ml/kernels/amx/weights.hpp"

namespace notso::ml::kernels {

template <class T, class P>
class ExactTileProduct {
  public:
    explicit ExactTileProduct(const PackedMatmulArgs& args) : strips_(args) {}

    void run() noexcept {
        T::begin({.n_tokens = strips_.tile_tokens(), .n_columns = P::kGroup});
        strips_.template run<kPanels>([this](const StripBlock& block) {
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
    using Strips = TileStrips<P, Precision::kExact>;
    using Tokens = TileTokens<Precision::kExact>;
    using Tile = typename Strips::Tile;
    static constexpr int kGreatest =
        P::kGreatest - P::kOffset > P::kOffset ? P::kGreatest - P::kOffset : P::kOffset;
    /// Digits of a part have sums of their own where one sum could pass 2^24.
    static constexpr bool kApart = kGreatest * P::kGroup * 32767 >= 1 << 24;
    static constexpr int kPanels = kApart ? 1 : 2;
    static constexpr int kParts = kTokenGroup / P::kGroup;  ///< Of 32 columns.
    static constexpr int kMostParts = 8;                    ///< Summed, then folded.

    /// Weights of one block of columns of a panel.
    struct Weights {
        alignas(64) std::byte lines[kTokenBlock / P::kGroup][P::kGroup / 2][kLineBytes];
        ColumnNumbers<S, P, FastSums::kGroups> numbers;
    };
    /// Some parts of a tile of tokens.
    struct Parts {
        float sums[kMostParts][2][Strips::kTileFloats];  ///< Of panels, or of digits where kApart.
        float x_scales[kMostParts][kLanes];              ///< Of tokens, at constant distances.
        float x_sums[kMostParts][kLanes];
        const std::byte* ahead;  ///< Weights that memory is asked for meanwhile; or null.
    };

    template <int kUsed>
    void multiply(const StripBlock& block) {
        Weights weights[kUsed];
        for (int i = 0; i < kUsed; ++i) {
            unpack(block.weights + static_cast<std::size_t>(i) * strips_.panel_bytes(),
                   block.n_cols,
                   weights[i]);
        }
        alignas(64) Parts parts;
        const int n_parts = block.n_cols / P::kGroup;
        for (std::int32_t index = 0; index < strips_.n_tiles(); ++index) {
            const Tile tile = strips_.tile(index, block.col);
            float* rows[kUsed];
            for (int i = 0; i < kUsed; ++i) rows[i] = strips_.sums(block.panel + i, index);
            parts.ahead = index == 0
                              ? strips_.ahead(block.weights, kPanels) + Strips::kBlockBytes / 2
                              : nullptr;
            int part = 0;
            for (; part + kMostParts <= n_parts; part += kMostParts)
                add_parts<kUsed, kMostParts>(weights, tile, part, parts, rows);
            for (; part < n_parts; ++part) add_parts<kUsed, 1>(weights, tile, part, parts, rows);
        }
    }

    /// Asks for half of the weights that `ahead` says, and multiply for the others: at all times,
    /// since memory could not keep up with all requests at once.
    void unpack(const std::byte* from, std::int32_t n_cols, Weights& out) const {
        constexpr std::size_t kAsked = Strips::kBlockBytes / 16;
        const std::byte* ahead = strips_.ahead(from, kPanels);
        const WholeLines<P> whole;
        for (std::int32_t col = 0; col < n_cols; col += P::kElements, from += P::kBytes) {
            out.numbers.read(from, col);
            for_each_run<P>([&](int group, auto phase) __attribute__((always_inline)) {
                const int run = col / kTokenGroup + group * P::kPhases + phase.value;
                prefetch<kAsked>(ahead + static_cast<std::size_t>(run) * kAsked);
                make_lines<P, phase.value, 0, 8>(whole, from, group, out.lines[run * kParts]);
            });
        }
    }

    /// @param rows  Sums of each panel.
    template <int kUsed, int kCount>
    void add_parts(const Weights* weights,
                   const Tile& tile,
                   int first_part,
                   Parts& parts,
                   float* const* rows) {
        put_scales<kCount>(tile, first_part, parts);
        if constexpr (kCount == 1) {
            multiply_part<kUsed, 0>(weights, tile, first_part, parts.sums[0]);
        } else {
#pragma GCC unroll 4
            for (int i = 0; i < kCount; i += 2) {
                if (parts.ahead != nullptr) ask_for<kUsed>(parts.ahead, first_part + i);
                multiply_part<kUsed, 0>(weights, tile, first_part + i, parts.sums[i]);
                multiply_part<kUsed, 1>(weights, tile, first_part + i + 1, parts.sums[i + 1]);
            }
        }
#pragma GCC unroll 2
        for (int panel = 0; panel < kUsed; ++panel)
            fold<kCount>(weights[panel].numbers, tile.size, first_part, parts, panel, rows[panel]);
    }

    /// Asks for the weights of two parts.
    template <int kUsed>
    [[gnu::always_inline]] void ask_for(const std::byte* weights, int part) const {
        constexpr std::size_t kBytes = Strips::kBlockBytes / (kTokenBlock / P::kGroup);
#pragma GCC unroll 2
        for (std::size_t i = 0; i < kUsed; ++i)
            prefetch<kBytes>(weights + i * strips_.panel_bytes() +
                             static_cast<std::size_t>(part) / 2 * kBytes);
    }

    template <int kCount>
    [[gnu::always_inline]] static void put_scales(const Tile& tile, int first_part, Parts& out) {
        const auto mask = static_cast<__mmask16>((1u << tile.size) - 1);
#pragma GCC unroll 8
        for (int i = 0; i < kCount; ++i) {
            const std::ptrdiff_t at = std::ptrdiff_t{(first_part + i) / kParts} * tile.size;
            S::store(out.x_scales[i], _mm512_maskz_loadu_ps(mask, tile.scales + at));
            if constexpr (P::kHasMins)
                S::store(out.x_sums[i], _mm512_maskz_loadu_ps(mask, tile.sums + at));
        }
    }

    /// @tparam kTurn  Neighbouring parts take turns with registers.
    template <int kUsed, int kTurn>
    [[gnu::always_inline]] static void multiply_part(const Weights* weights,
                                                     const Tile& tile,
                                                     int part,
                                                     float (*out)[Strips::kTileFloats]) {
        const std::ptrdiff_t digit = tile.size * Tokens::kRowBytes;
        const std::byte* rows =
            tile.q + part / kParts * (2 * digit) + part % kParts * (2 * P::kGroup);
        T::template load<6>(rows, Tokens::kRowBytes);
        T::template load<7>(rows + digit, Tokens::kRowBytes);
        for_each_index<kApart ? 2 : kUsed>([&](auto i) __attribute__((always_inline)) {
            constexpr int kSum = 2 * kTurn + i.value;
            constexpr int kPanel = kApart ? 0 : i.value;
            if constexpr (!kApart || i.value == 0)
                T::template load<4 + kPanel>(weights[kPanel].lines[part], kLineBytes);
            T::template clear<kSum>();
            if constexpr (!kApart || i.value == 0) T::template multiply<kSum, 6, 4 + kPanel>();
            if constexpr (!kApart || i.value == 1) T::template multiply<kSum, 7, 4 + kPanel>();
            T::template store<kSum>(out[i.value], kLineBytes);
        });
    }

    /// Scales the sums of parts of a panel and adds them to those of its rows.
    template <int kCount>
    [[gnu::always_inline]] static void fold(const ColumnNumbers<S, P, FastSums::kGroups>& numbers,
                                            std::ptrdiff_t n_tokens,
                                            int first_part,
                                            const Parts& parts,
                                            int panel,
                                            float* rows) {
        S::Vec scales[kCount];
        S::Vec mins[kCount];
#pragma GCC unroll 8
        for (int i = 0; i < kCount; ++i) {
            const std::ptrdiff_t at = std::ptrdiff_t{first_part + i} * kLanes;
            scales[i] = S::load(numbers.scales + at);
            if constexpr (P::kHasMins) mins[i] = S::load(numbers.mins + at);
        }
        for (std::ptrdiff_t t = 0; t < n_tokens; ++t) {
            auto sum = S::load(rows + t * kLanes);
#pragma GCC unroll 8
            for (int i = 0; i < kCount; ++i) {
                auto part = S::load(parts.sums[i][panel] + t * kLanes);
                if constexpr (kApart) part = S::add(part, S::load(parts.sums[i][1] + t * kLanes));
                sum = S::fma(part, S::mul(scales[i], S::set1(parts.x_scales[i][t])), sum);
                if constexpr (P::kHasMins) sum = S::fnma(mins[i], S::set1(parts.x_sums[i][t]), sum);
            }
            S::store(rows + t * kLanes, sum);
        }
    }

    Strips strips_;
};

}  // namespace notso::ml::kernels
