// Matrix products, written once for every instruction set S with sixteen f32 lanes.
// One sum of sixteen lanes per (row, token), over ascending columns, folded in one fixed order at
// the end: whether weights are decoded in registers (few tokens) or into a panel (many), whatever
// the tile, the bits are the same.
#pragma once

#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

/// Folds kRows × kTokens sums of sixteen lanes, row-major, and writes them to `out` of the first
/// row and token.
template <class S, int kRows, int kTokens>
[[gnu::always_inline]] inline void write_sums(const typename S::Vec* sums,
                                              float* out,
                                              std::size_t out_stride,
                                              Store store) {
    constexpr int kCount = kRows * kTokens;
    constexpr int kFours = kCount / 4 * 4;
    float values[kCount];
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

// Few tokens: weights are decoded in registers.

/// Asks for the bytes of one step, which lie far ahead in memory. Rows are too short for the
/// processor's own prefetching to get going: without this, reading weights reaches a third to a
/// fifth of the rate.
template <class W>
[[gnu::always_inline]] inline void fetch_step(const std::byte* bytes) {
    constexpr int kLine = 64;
    for (int i = 0; i < W::kBytes / W::kSteps; i += kLine) __builtin_prefetch(bytes + i, 0, 3);
}

/// How far ahead: 16 KiB, and at least beyond the rows that are being read side by side.
template <class S>
std::size_t fetch_distance(std::size_t row_bytes, int rows) {
    const std::size_t beyond = static_cast<std::size_t>(rows) * row_bytes + 4096;
    return beyond > 16384 ? beyond : 16384;
}

template <class S, class W, int kRows, int kTokens>
[[gnu::always_inline]] inline void multiply_blocks(const MatmulArgs& args, std::int32_t row) {
    const std::size_t ahead = fetch_distance<S>(args.row_bytes, kRows);
    typename S::Vec sums[kRows * kTokens];
#pragma GCC unroll 16
    for (auto& sum : sums) sum = S::zero();
    const std::byte* blocks = args.weights + static_cast<std::size_t>(row) * args.row_bytes;
    for (std::int32_t col = 0; col < args.n_cols; col += W::kElements, blocks += W::kBytes) {
        typename W::Unpacked unpacked[kRows];
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r)
            unpacked[r] = W::begin(blocks + static_cast<std::size_t>(r) * args.row_bytes);
        for (int i = 0; i < W::kSteps; ++i) {
#pragma GCC unroll 8
            for (int r = 0; r < kRows; ++r) {
                const std::byte* bytes = blocks + static_cast<std::size_t>(r) * args.row_bytes;
                fetch_step<W>(bytes + ahead + i * (W::kBytes / W::kSteps));
                W::step(
                    unpacked[r], i, [&](int at, typename S::Vec w) __attribute__((always_inline)) {
#pragma GCC unroll 8
                        for (int t = 0; t < kTokens; ++t) {
                            const float* x =
                                args.x + static_cast<std::size_t>(t) * args.x_stride + col + at;
                            sums[r * kTokens + t] = S::fma(w, S::load(x), sums[r * kTokens + t]);
                        }
                    });
            }
        }
    }
    write_sums<S, kRows, kTokens>(sums, args.out + row, args.out_stride, args.store);
}

template <class S, class W, int kTokens>
void multiply_in_registers(const MatmulArgs& args) {
    std::int32_t row = 0;
    for (; row + S::kGemvRows <= args.n_rows; row += S::kGemvRows) {
        multiply_blocks<S, W, S::kGemvRows, kTokens>(args, row);
    }
    for (; row < args.n_rows; ++row) multiply_blocks<S, W, 1, kTokens>(args, row);
}

// Many tokens: f32 rows times tokens, which is also how attention multiplies keys and queries.

/// Which part of the columns a panel holds: sums begin with the first part and are written after
/// the last.
struct PanelPart {
    bool first = true;
    bool last = true;
};

struct PanelArgs {
    const float* rows;    ///< [n_rows, n_cols]
    std::int32_t n_rows;  ///< ≤ kPanelRows where the columns come in parts
    std::int32_t n_cols;  ///< Multiple of 16.
    const float* x;       ///< [n_tokens, n_cols]
    std::size_t x_stride;
    std::int32_t n_tokens;
    float* out;  ///< [n_tokens, n_rows]
    std::size_t out_stride;
    Store store;
    PanelPart part;
    float* partial;  ///< [n_tokens, kPanelRows, 16] sums between two parts
};

template <class S, int kRows, int kTokens>
[[gnu::always_inline]] inline void multiply_tile(const PanelArgs& args,
                                                 std::int32_t row,
                                                 std::int32_t token) {
    typename S::Vec sums[kRows * kTokens];
    float* partial = args.partial + (token * kPanelRows + row * kTokens) * std::ptrdiff_t{16};
#pragma GCC unroll 32
    for (int i = 0; i < kRows * kTokens; ++i)
        sums[i] = args.part.first ? S::zero() : S::load(partial + 16 * i);
    const float* w = args.rows + static_cast<std::ptrdiff_t>(row) * args.n_cols;
    const auto x_stride = static_cast<std::ptrdiff_t>(args.x_stride);
    const float* x = args.x + token * x_stride;
    for (std::int32_t col = 0; col < args.n_cols; col += 16) {
        S::template multiply_add<kRows, kTokens>(w + col, args.n_cols, x + col, x_stride, sums);
    }
    if (args.part.last) {
        float* out = args.out + static_cast<std::size_t>(token) * args.out_stride + row;
        return write_sums<S, kRows, kTokens>(sums, out, args.out_stride, args.store);
    }
#pragma GCC unroll 32
    for (int i = 0; i < kRows * kTokens; ++i) S::store(partial + 16 * i, sums[i]);
}

template <class S, int kTokens>
void multiply_columns(const PanelArgs& args, std::int32_t token) {
    std::int32_t row = 0;
    for (; row + S::kTileRows <= args.n_rows; row += S::kTileRows) {
        multiply_tile<S, S::kTileRows, kTokens>(args, row, token);
    }
    for (; row < args.n_rows; ++row) multiply_tile<S, 1, kTokens>(args, row, token);
}

/// The last kTokens or fewer tokens.
template <class S, int kTokens>
void multiply_rest(const PanelArgs& args, std::int32_t token, std::int32_t n) {
    if constexpr (kTokens > 0) {
        if (n == kTokens) return multiply_columns<S, kTokens>(args, token);
        multiply_rest<S, kTokens - 1>(args, token, n);
    }
}

template <class S>
void multiply_panel(const PanelArgs& args) {
    std::int32_t token = 0;
    for (; token + S::kTileTokens <= args.n_tokens; token += S::kTileTokens) {
        multiply_columns<S, S::kTileTokens>(args, token);
    }
    multiply_rest<S, S::kTileTokens - 1>(args, token, args.n_tokens - token);
}

/// Decodes kPanelRows rows at a time, `part_cols` columns of them, and multiplies them with every
/// token. decode(row, first column, number of columns, out) writes one row of the panel.
template <class S, class Decode>
[[gnu::always_inline]] inline void multiply_by_panels(const MatmulArgs& args,
                                                      std::int32_t part_cols,
                                                      const Decode& decode) {
    float* panel = args.scratch + kPanelRows * 16 * kMatmulTokens;
    for (std::int32_t first = 0; first < args.n_rows; first += kPanelRows) {
        const std::int32_t n_rows =
            args.n_rows - first < kPanelRows ? args.n_rows - first : kPanelRows;
        for (std::int32_t col = 0; col < args.n_cols; col += part_cols) {
            const std::int32_t n_cols =
                args.n_cols - col < part_cols ? args.n_cols - col : part_cols;
            for (std::int32_t r = 0; r < n_rows; ++r) {
                const std::byte* row =
                    args.weights + static_cast<std::size_t>(first + r) * args.row_bytes;
                decode(row, col, n_cols, panel + static_cast<std::ptrdiff_t>(r) * n_cols);
            }
            multiply_panel<S>({.rows = panel,
                               .n_rows = n_rows,
                               .n_cols = n_cols,
                               .x = args.x + col,
                               .x_stride = args.x_stride,
                               .n_tokens = args.n_tokens,
                               .out = args.out + first,
                               .out_stride = args.out_stride,
                               .store = args.store,
                               .part = {.first = col == 0, .last = col + n_cols == args.n_cols},
                               .partial = args.scratch});
        }
    }
}

/// Columns of a part: equal parts, each whole blocks, none over kPanelCols.
constexpr std::int32_t panel_part_cols(std::int32_t n_cols, std::int32_t block) {
    const std::int32_t n_parts = (n_cols + kPanelCols - 1) / kPanelCols;
    const std::int32_t even = (n_cols + n_parts - 1) / n_parts;
    return (even + block - 1) / block * block;
}

/// The product of one block type.
template <class S, class W>
void matmul(const MatmulArgs& args) noexcept {
    if (args.n_tokens == 1) return multiply_in_registers<S, W, 1>(args);
    if (args.n_tokens == 2) return multiply_in_registers<S, W, 2>(args);
    const std::int32_t part_cols = panel_part_cols(args.n_cols, W::kElements);
    multiply_by_panels<S>(
        args, part_cols, [](const std::byte* row, std::int32_t col, std::int32_t n, float* out) {
            const std::byte* blocks =
                row + static_cast<std::size_t>(col / W::kElements) * W::kBytes;
            for (std::int32_t at = 0; at < n;
                 at += W::kElements, blocks += W::kBytes, out += W::kElements) {
                const typename W::Unpacked unpacked = W::begin(blocks);
                for (int i = 0; i < W::kSteps; ++i) {
                    W::step(
                        unpacked, i, [&](int j, typename S::Vec w) __attribute__((always_inline)) {
                            S::store(out + j, w);
                        });
                }
            }
        });
}

/// The product of any block type, through its plain decoder.
template <class S>
void matmul_any(const MatmulArgs& args) noexcept {
    multiply_by_panels<S>(
        args, args.n_cols, [&](const std::byte* row, std::int32_t, std::int32_t n, float* out) {
            args.decode(row, out, static_cast<std::size_t>(n));
        });
}

}  // namespace notso::ml::kernels
