// Matrix products, written once for every instruction set S with sixteen f32 lanes.
// One sum of sixteen lanes per (row, token), over ascending columns, folded in one fixed order at
// the end: whether weights are decoded in registers (few tokens) or into a panel (many), whatever
// the tile, the bits are the same.
#pragma once

#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

inline constexpr int kRegisterTokens = 2;  // up to here, decoding in registers beats a panel

/// Writes the sums of kRows × kTokens accumulators, row-major, to `out` of the first row and token.
template <class S, int kRows, int kTokens>
[[gnu::always_inline]] inline void write_sums(const typename S::Vec* sums,
                                              float* out,
                                              std::size_t out_stride,
                                              Store store) {
    constexpr int kCount = kRows * kTokens;
    float values[kCount];
    constexpr int kFours = kCount / 4 * 4;
    for (int i = 0; i < kFours; i += 4) S::sum4(sums + i, values + i);
    for (int i = kFours; i < kCount; ++i) values[i] = S::sum(sums[i]);
    for (int t = 0; t < kTokens; ++t) {
        float* row = out + static_cast<std::size_t>(t) * out_stride;
        for (int r = 0; r < kRows; ++r) {
            const float value = values[r * kTokens + t];
            row[r] = store == Store::kAdd ? row[r] + value : value;
        }
    }
}

/// kRows rows of blocks times kTokens tokens, decoded in registers.
template <class S, template <class> class Weights, int kRows, int kTokens>
[[gnu::always_inline]] inline void multiply_blocks(const MatmulArgs& args, std::int32_t row) {
    using W = Weights<S>;
    typename S::Vec sums[kRows * kTokens];
#pragma GCC unroll 16
    for (auto& sum : sums) sum = S::zero();
    const std::byte* blocks = args.weights + static_cast<std::size_t>(row) * args.row_bytes;
    for (std::int32_t col = 0; col < args.n_cols; col += W::kElements, blocks += W::kBytes) {
        const float* x = args.x + col;
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) {
            W::each(
                blocks + static_cast<std::size_t>(r) * args.row_bytes,
                [&](int i, typename S::Vec w) __attribute__((always_inline)) {
#pragma GCC unroll 8
                    for (int t = 0; t < kTokens; ++t) {
                        const float* token = x + static_cast<std::size_t>(t) * args.x_stride + i;
                        sums[r * kTokens + t] = S::fma(w, S::load(token), sums[r * kTokens + t]);
                    }
                });
        }
    }
    write_sums<S, kRows, kTokens>(sums, args.out + row, args.out_stride, args.store);
}

template <class S, template <class> class Weights, int kTokens>
void multiply_in_registers(const MatmulArgs& args) {
    std::int32_t row = 0;
    for (; row + S::kGemvRows <= args.n_rows; row += S::kGemvRows) {
        multiply_blocks<S, Weights, S::kGemvRows, kTokens>(args, row);
    }
    for (; row < args.n_rows; ++row) multiply_blocks<S, Weights, 1, kTokens>(args, row);
}

/// f32 rows times tokens: what a decoded panel and the keys of attention have in common.
struct PanelArgs {
    const float* rows;  ///< [n_rows, n_cols]
    std::int32_t n_rows;
    std::int32_t n_cols;  ///< Multiple of 16.
    const float* x;       ///< [n_tokens, n_cols]
    std::size_t x_stride;
    std::int32_t n_tokens;
    float* out;  ///< [n_tokens, n_rows]
    std::size_t out_stride;
    Store store;
};

template <class S, int kRows, int kTokens>
[[gnu::always_inline]] inline void multiply_tile(const PanelArgs& args,
                                                 std::int32_t row,
                                                 std::int32_t token) {
    typename S::Vec sums[kRows * kTokens];
#pragma GCC unroll 32
    for (auto& sum : sums) sum = S::zero();
    const float* w = args.rows + static_cast<std::ptrdiff_t>(row) * args.n_cols;
    const float* x = args.x + static_cast<std::size_t>(token) * args.x_stride;
    for (std::int32_t col = 0; col < args.n_cols; col += 16) {
        typename S::Vec tokens[kTokens];
#pragma GCC unroll 8
        for (int t = 0; t < kTokens; ++t)
            tokens[t] = S::load(x + static_cast<std::size_t>(t) * args.x_stride + col);
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) {
            const auto weights = S::load(w + static_cast<std::ptrdiff_t>(r) * args.n_cols + col);
#pragma GCC unroll 8
            for (int t = 0; t < kTokens; ++t) {
                sums[r * kTokens + t] = S::fma(weights, tokens[t], sums[r * kTokens + t]);
            }
        }
    }
    float* out = args.out + static_cast<std::size_t>(token) * args.out_stride + row;
    write_sums<S, kRows, kTokens>(sums, out, args.out_stride, args.store);
}

template <class S, int kTokens>
void multiply_columns(const PanelArgs& args, std::int32_t token) {
    std::int32_t row = 0;
    for (; row + S::kTileRows <= args.n_rows; row += S::kTileRows) {
        multiply_tile<S, S::kTileRows, kTokens>(args, row, token);
    }
    for (; row < args.n_rows; ++row) multiply_tile<S, 1, kTokens>(args, row, token);
}

template <class S>
void multiply_panel(const PanelArgs& args) {
    std::int32_t token = 0;
    for (; token + S::kTileTokens <= args.n_tokens; token += S::kTileTokens) {
        multiply_columns<S, S::kTileTokens>(args, token);
    }
    for (; token < args.n_tokens; ++token) multiply_columns<S, 1>(args, token);
}

/// Decodes a panel of rows once and multiplies it with every token. `decode` fills one row of the
/// panel.
template <class S, class Decode>
[[gnu::always_inline]] inline void multiply_by_panels(const MatmulArgs& args,
                                                      const Decode& decode) {
    for (std::int32_t first = 0; first < args.n_rows; first += kPanelRows) {
        const std::int32_t n_rows =
            args.n_rows - first < kPanelRows ? args.n_rows - first : kPanelRows;
        for (std::int32_t r = 0; r < n_rows; ++r) {
            decode(args.weights + static_cast<std::size_t>(first + r) * args.row_bytes,
                   args.scratch + static_cast<std::ptrdiff_t>(r) * args.n_cols);
        }
        multiply_panel<S>({.rows = args.scratch,
                           .n_rows = n_rows,
                           .n_cols = args.n_cols,
                           .x = args.x,
                           .x_stride = args.x_stride,
                           .n_tokens = args.n_tokens,
                           .out = args.out + first,
                           .out_stride = args.out_stride,
                           .store = args.store});
    }
}

/// The product of one block type.
template <class S, template <class> class Weights>
void matmul(const MatmulArgs& args) noexcept {
    using W = Weights<S>;
    static_assert(kRegisterTokens == 2, "one case per token count");
    if (args.n_tokens == 1) return multiply_in_registers<S, Weights, 1>(args);
    if (args.n_tokens == 2) return multiply_in_registers<S, Weights, 2>(args);
    multiply_by_panels<S>(args, [&](const std::byte* blocks, float* out) {
        for (std::int32_t col = 0; col < args.n_cols; col += W::kElements, blocks += W::kBytes) {
            W::each(blocks, [&](int i, typename S::Vec w) __attribute__((always_inline)) {
                S::store(out + col + i, w);
            });
        }
    });
}

/// The product of any block type, through its plain decoder.
template <class S>
void matmul_any(const MatmulArgs& args) noexcept {
    multiply_by_panels<S>(args, [&](const std::byte* blocks, float* out) {
        args.decode(blocks, out, static_cast<std::size_t>(args.n_cols));
    });
}

}  // namespace notso::ml::kernels
