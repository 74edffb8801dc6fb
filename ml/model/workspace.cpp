#include "ml/model/workspace.hpp"

#include <cstdlib>
#include <new>

#include "ml/kernels/table.hpp"

namespace notso::ml {
namespace {

constexpr std::size_t kBufferAlignment = 64;

std::size_t scratch_floats(const ModelConfig& config) {
    const std::int32_t cols =
        std::max({config.n_embd, config.n_ff, config.n_heads * config.head_dim});
    return std::max(kernels::matmul_scratch_floats(cols),
                    kernels::attention_scratch_floats(config.head_dim));
}

/// Elements of an IntegerBuffer; q in bytes.
kernels::TokenSizes sizes_of(Precision precision, std::int32_t n_cols) {
    kernels::TokenSizes sizes = kernels::token_sizes(kChunkTokens, n_cols);
    sizes.q = kernels::token_bytes(precision, kChunkTokens, n_cols);
    if (precision == Precision::kExact) sizes.shares = sizes.blocks = 0;
    return sizes;
}

}  // namespace

template <class T>
Buffer<T>::Buffer(std::size_t n) {
    const std::size_t bytes =
        (n * sizeof(T) + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
    auto* data = static_cast<T*>(std::aligned_alloc(kBufferAlignment, bytes));
    if (data == nullptr) throw std::bad_alloc();
    std::fill_n(data, bytes / sizeof(T), T{});
    data_.reset(data);
}

IntegerBuffer::IntegerBuffer(Precision precision, std::int32_t n_cols)
    : q(sizes_of(precision, n_cols).q),
      scales(sizes_of(precision, n_cols).groups),
      sums(sizes_of(precision, n_cols).groups),
      starts(sizes_of(precision, n_cols).starts),
      shares(sizes_of(precision, n_cols).shares),
      rounded_sums(sizes_of(precision, n_cols).shares),
      block_scales(sizes_of(precision, n_cols).blocks) {}

std::size_t IntegerBuffer::floats(Precision precision, std::int32_t n_cols) {
    const kernels::TokenSizes sizes = sizes_of(precision, n_cols);
    return sizes.q / 4 + 2 * sizes.groups + sizes.starts + sizes.shares + sizes.blocks;
}

TokenBuffer::TokenBuffer(std::int32_t n_cols, kernels::TileLimits tile_limits, bool fast_exactly)
    : width(n_cols), tiles(tile_limits), values(extent(kChunkTokens, n_cols)) {
    integers_of.emplace_back(Precision::kExact, n_cols);
    integers_of.emplace_back(Precision::kFast, n_cols);
    if (fast_exactly) integers_of.emplace_back(Precision::kExact, n_cols);
}

kernels::TokenPlace TokenBuffer::place(const TokenRun& run,
                                       std::int32_t token,
                                       std::int32_t col) const noexcept {
    const IntegerBuffer& out = integers_of[run.slot];
    return {.q = out.q.data(),
            .scales = out.scales.data(),
            .sums = out.sums.data(),
            .starts = out.starts.data(),
            .shares = out.shares.data(),
            .rounded_sums = out.rounded_sums.data(),
            .block_scales = out.block_scales.data(),
            .token = token - run.first,
            .n_tokens = run.size,
            .tiles = tiles,
            .col = col};
}

kernels::QuantizedTokens TokenBuffer::integers(const TokenRun& run) const noexcept {
    const IntegerBuffer& x = integers_of[run.slot];
    return {.tiles = tiles,
            .q = x.q.data(),
            .scales = x.scales.data(),
            .sums = x.sums.data(),
            .starts = x.starts.data(),
            .shares = x.shares.data(),
            .rounded_sums = x.rounded_sums.data(),
            .block_scales = x.block_scales.data()};
}

Workspace::Workspace(const ModelConfig& config, kernels::TileLimits tiles, std::int32_t n_threads)
    : x(extent(kChunkTokens, config.n_embd)),
      h(config.n_embd, tiles, true),
      q(extent(kChunkTokens, config.n_heads * config.head_dim)),
      k(extent(kChunkTokens, config.n_kv_heads * config.head_dim)),
      v(extent(kChunkTokens, config.n_kv_heads * config.head_dim)),
      heads(config.n_heads * config.head_dim, tiles),
      gate(config.n_ff, tiles),
      cos_sin(extent(kChunkTokens, config.n_rot)) {
    for (std::int32_t thread = 0; thread < n_threads; ++thread) {
        scratch.emplace_back(scratch_floats(config));
        stage.emplace_back(extent(2, kStageFloats));
    }
}

std::uint64_t Workspace::floats(const ModelConfig& config, std::int32_t n_threads) {
    std::size_t integers = IntegerBuffer::floats(Precision::kExact, config.n_embd);
    for (const std::int32_t width : {config.n_embd, config.n_heads * config.head_dim, config.n_ff})
        for (const Precision precision : {Precision::kExact, Precision::kFast})
            integers += IntegerBuffer::floats(precision, width);
    const std::size_t per_token =
        2 * extent(config.n_embd) + 2 * extent(config.n_heads, config.head_dim) +
        2 * extent(config.n_kv_heads, config.head_dim) + extent(config.n_ff) + extent(config.n_rot);
    return per_token * kChunkTokens + integers +
           extent(n_threads) * (scratch_floats(config) + extent(2, kStageFloats));
}

}  // namespace notso::ml
