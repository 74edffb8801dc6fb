// What products by tiles share: the order in which they go through weights, and where sums are
// meanwhile. Some panels, a strip, are multiplied with all tokens, slab of columns by slab, block
// by block, so that tokens of a slab and sums of a strip stay in the L2 cache.
#pragma once

#include "ml/kernels/amx/tiles.hpp"
#include "ml/kernels/amx/tokens.hpp"
#include "ml/kernels/simd/packed_matmul.hpp"
#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

/// Calls f(Constant) for 0…kCount - 1.
template <int kCount, int kFrom = 0, class F>
[[gnu::always_inline]] inline void for_each_index(const F& f) {
    if constexpr (kFrom < kCount) {
        f(Constant<kFrom>());
        for_each_index<kCount, kFrom + 1>(f);
    }
}

/// A block of columns of some panels.
struct StripBlock {
    std::int32_t panel;  ///< The first one, of the strip.
    std::int32_t n_panels;
    std::int32_t col;
    std::int32_t n_cols;
    const std::byte* weights;
};

/// Of packed type P, for tokens of a precision.
template <class P, Precision kPrecision>
class TileStrips {
  public:
    static constexpr std::int32_t kStripPanels = 16;
    /// Of a slab: what tokens take of the L2 cache.
    static constexpr std::int32_t kSlabColumns = kPrecision == Precision::kExact ? 1024 : 2048;
    static constexpr std::int32_t kBlockColumns =
        kPrecision == Precision::kExact ? kTokenBlock : kSlabColumns;
    static constexpr std::size_t kBlockBytes = kTokenBlock / P::kElements * P::kBytes;
    /// Sums of a tile of tokens and a panel: [kTileTokens, row].
    static constexpr int kTileTokens = 16;
    static constexpr int kTileFloats = kTileTokens * kLanes;
    static constexpr int kMostTiles = kMatmulTokens / kTileTokens;

    explicit TileStrips(const PackedMatmulArgs& args)
        : args_(args),
          n_tiles_(count_tiles(args.n_tokens, args.x.tiles)),
          tile_tokens_(tile_at(0, args.n_tokens, args.x.tiles).size),
          n_panels_((args.n_rows + kLanes - 1) / kLanes) {}

    std::int32_t n_tiles() const { return n_tiles_; }
    /// Tokens of the largest tile.
    std::int32_t tile_tokens() const { return tile_tokens_; }

    /// A tile of tokens from some column on.
    struct Tile : TokenTile {
        const std::byte* q;
        const float* scales;
        const float* sums;
    };
    Tile tile(std::int32_t index, std::int32_t col) const {
        const TokenTile tile = tile_at(index, args_.n_tokens, args_.x.tiles);
        const TokenSizes before = token_offset(tile, args_.n_tokens, col);
        return {tile,
                static_cast<const std::byte*>(args_.x.q) +
                    TileTokens<kPrecision>::offset(tile, args_.n_tokens, col),
                args_.x.scales + before.groups,
                args_.x.sums + before.groups};
    }
    /// Sums of a panel of the strip and a tile of tokens. Those of a pair of panels and a pair of
    /// tiles share no bits 6…11 of their addresses.
    float* sums(std::int32_t panel, std::int32_t tile) {
        return sums_ + ((panel / 2 * kMostTiles + tile) * 2 + panel % 2) * kTileFloats;
    }
    /// Panels of the strip whose sums with a tile, of all columns, go to `output` as a register has
    /// them; perhaps more than there are.
    std::int32_t n_whole(const TokenTile& tile) const {
        const bool is_whole = kPrecision == Precision::kFast && args_.store == Store::kReplace &&
                              tile.size == tile_tokens_;
        return is_whole ? args_.n_rows / kLanes - strip_ : 0;
    }
    /// Where they go, of one panel; a token's are output_bytes after those of the one before.
    float* output(std::int32_t panel, const TokenTile& tile) const {
        return args_.out + static_cast<std::size_t>(tile.first) * args_.out_stride +
               (strip_ + panel) * kLanes;
    }
    std::ptrdiff_t output_bytes() const {
        return static_cast<std::ptrdiff_t>(args_.out_stride * sizeof(float));
    }
    bool is_last(const StripBlock& block) const { return block.col + block.n_cols == args_.n_cols; }
    std::size_t panel_bytes() const { return args_.panel_bytes; }
    /// Weights that will probably be read some blocks after those at `from`, where panels are read
    /// `n_panels` at a time.
    const std::byte* ahead(const std::byte* from, std::size_t n_panels) const {
        const auto in_panel = static_cast<std::size_t>(from - args_.panels) % args_.panel_bytes;
        const bool is_next = in_panel + kPrefetchBytes >= args_.panel_bytes;
        return from + kPrefetchBytes + (is_next ? (n_panels - 1) * args_.panel_bytes : 0);
    }

    /// Calls multiply(block) for all blocks of all strips, kPanels panels at a time, fewer at the
    /// end; it adds to sums, which exact products find cleared.
    template <int kPanels, class Multiply>
    void run(const Multiply& multiply) {
        for (strip_ = 0; strip_ < n_panels_; strip_ += kStripPanels) {
            const std::int32_t left = n_panels_ - strip_;
            const std::int32_t n_panels = left < kStripPanels ? left : kStripPanels;
            if constexpr (kPrecision == Precision::kExact) clear(n_panels);
            for (std::int32_t slab = 0; slab < args_.n_cols; slab += kSlabColumns)
                for (std::int32_t panel = 0; panel < n_panels; panel += kPanels)
                    run_slab<kPanels>(n_panels, panel, slab, multiply);
            put(n_panels);
        }
    }

  private:
    template <int kPanels>
    StripBlock block_at(std::int32_t n_panels, std::int32_t panel, std::int32_t col) const {
        const std::int32_t left = n_panels - panel;
        const std::int32_t n_cols = args_.n_cols - col;
        return {.panel = panel,
                .n_panels = left < kPanels ? left : kPanels,
                .col = col,
                .n_cols = n_cols < kBlockColumns ? n_cols : kBlockColumns,
                .weights = args_.panels +
                           static_cast<std::size_t>(strip_ + panel) * args_.panel_bytes +
                           static_cast<std::size_t>(col / P::kElements) * P::kBytes};
    }
    /// The blocks of some panels in a slab, in ascending order.
    template <int kPanels, class Multiply>
    void run_slab(std::int32_t n_panels,
                  std::int32_t panel,
                  std::int32_t slab,
                  const Multiply& multiply) const {
        const std::int32_t end =
            slab + kSlabColumns < args_.n_cols ? slab + kSlabColumns : args_.n_cols;
        for (std::int32_t col = slab; col < end; col += kBlockColumns)
            multiply(block_at<kPanels>(n_panels, panel, col));
    }

    void clear(std::int32_t n_panels) {
        for (std::int32_t panel = 0; panel < n_panels; ++panel)
            for (std::int32_t tile = 0; tile < n_tiles_; ++tile)
                for (int i = 0; i < kTileFloats; i += kLanes)
                    Avx512::store(sums(panel, tile) + i, Avx512::zero());
    }

    void put(std::int32_t n_panels) {
        for (std::int32_t index = 0; index < n_tiles_; ++index) {
            const TokenTile tile = tile_at(index, args_.n_tokens, args_.x.tiles);
            for (std::int32_t t = 0; t < tile.size; ++t) {
                float* out =
                    args_.out + static_cast<std::size_t>(tile.first + t) * args_.out_stride;
                for (std::int32_t panel = n_whole(tile); panel < n_panels; ++panel) {
                    const std::int32_t row = (strip_ + panel) * kLanes;
                    put_rows<Avx512>(Avx512::load(sums(panel, index) + t * kLanes),
                                     args_.n_rows - row,
                                     args_.store,
                                     out + row);
                }
            }
        }
    }

    const PackedMatmulArgs& args_;
    std::int32_t n_tiles_;
    std::int32_t tile_tokens_;
    std::int32_t n_panels_;
    std::int32_t strip_ = 0;  ///< Its first panel.
    alignas(4096) float sums_[kStripPanels * kMostTiles * kTileFloats];
};

}  // namespace notso::ml::kernels
