// What the tests and the benchmark of packed products share.
#pragma once

#include "ml/kernels/kernels_harness.hpp"
#include "ml/quant/pack.hpp"

namespace notso::ml::kernels {

inline const PackedKernels& packed_kernels(const KernelTable& table, Precision precision) {
    return table.packed[static_cast<std::size_t>(precision)];
}

inline PackedMatmul find_packed(const PackedKernels& kernels, const quant::TypeTraits& type) {
    return kernels.by_type[static_cast<std::size_t>(type.type)];
}

/// Tokens that are multiplied together, made of integers by one set of kernels.
struct Tokens {
    TileLimits tiles;
    std::vector<std::byte> q;
    Floats scales;
    Floats sums;
    std::vector<std::int32_t> starts;
    std::vector<std::int16_t> shares;
    std::vector<std::uint16_t> rounded_sums;
    Floats block_scales;

    /// @param x  [n_tokens, n_cols]
    Tokens(const KernelTable& table,
           Precision precision,
           const float* x,
           std::int32_t n_tokens,
           std::int32_t n_cols)
        : Tokens(table, precision, table.tiles, x, n_tokens, n_cols) {}
    Tokens(const KernelTable& table,
           Precision precision,
           TileLimits tile_limits,
           const float* x,
           std::int32_t n_tokens,
           std::int32_t n_cols)
        : tiles(tile_limits) {
        const TokenSizes sizes = token_sizes(n_tokens, n_cols);
        q.resize(token_bytes(precision, n_tokens, n_cols),
                 std::byte{0x5A});  // what is not set does not count
        scales.resize(sizes.groups);
        sums.resize(sizes.groups);
        starts.resize(sizes.starts);
        shares.resize(sizes.shares);
        rounded_sums.resize(sizes.shares);
        block_scales.resize(sizes.blocks);
        for (std::int32_t t = 0; t < n_tokens; ++t) {
            const TokenPlace place = {.q = q.data(),
                                      .scales = scales.data(),
                                      .sums = sums.data(),
                                      .starts = starts.data(),
                                      .shares = shares.data(),
                                      .rounded_sums = rounded_sums.data(),
                                      .block_scales = block_scales.data(),
                                      .token = t,
                                      .n_tokens = n_tokens,
                                      .tiles = tiles,
                                      .col = 0};
            packed_kernels(table, precision)
                .quantize_token(x + static_cast<std::ptrdiff_t>(t) * n_cols, n_cols, place);
        }
    }
    QuantizedTokens integers() const {
        return {.tiles = tiles,
                .q = q.data(),
                .scales = scales.data(),
                .sums = sums.data(),
                .starts = starts.data(),
                .shares = shares.data(),
                .rounded_sums = rounded_sums.data(),
                .block_scales = block_scales.data()};
    }
};

/// The matrix of a Product, packed.
struct Packed {
    std::size_t panel_bytes;
    std::vector<std::byte> panels;

    explicit Packed(const Product& product) {
        const std::size_t row_bytes =
            static_cast<std::size_t>(product.n_cols) / product.type->elements * product.type->bytes;
        panel_bytes = quant::kPackRows * row_bytes;
        const auto n_rows = static_cast<std::size_t>(product.n_rows);
        panels.resize((n_rows + quant::kPackRows - 1) / quant::kPackRows * panel_bytes);
        for (std::size_t row = 0; row < n_rows; row += quant::kPackRows) {
            quant::pack_rows(*quant::find_pack_fields(product.type->type),
                             product.weights.data() + row * row_bytes,
                             std::min(quant::kPackRows, n_rows - row),
                             row_bytes,
                             panels.data() + row / quant::kPackRows * panel_bytes);
        }
    }
};

/// Of a call with the first n tokens. What it points to must outlive it.
inline PackedMatmulArgs packed_arguments(const Product& product,
                                         const Packed& packed,
                                         const QuantizedTokens& tokens,
                                         std::int32_t n,
                                         Floats& out) {
    return {.panels = packed.panels.data(),
            .panel_bytes = packed.panel_bytes,
            .n_rows = product.n_rows,
            .n_cols = product.n_cols,
            .n_tokens = n,
            .store = Store::kReplace,
            .x = tokens,
            .out = out.data(),
            .out_stride = static_cast<std::size_t>(product.n_rows)};
}

}  // namespace notso::ml::kernels
