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

TokenBuffer::TokenBuffer(std::int32_t n_cols, std::int32_t max_tile)
    : width(n_cols),
      tile_tokens(max_tile),
      values(extent(kChunkTokens, n_cols)),
      q(extent(kChunkTokens, n_cols)),
      scales(extent(kChunkTokens, n_cols / kernels::kTokenGroup)),
      sums(extent(kChunkTokens, n_cols / kernels::kTokenGroup)) {}

kernels::TokenPlace TokenBuffer::place(const TokenRun& run,
                                       std::int32_t token,
                                       std::int32_t col) const noexcept {
    const kernels::TokenTile tile =
        kernels::tile_of_token(token - run.first, run.size, tile_tokens);
    const std::int32_t in_tile = token - run.first - tile.first;
    const std::size_t number =
        extent(tile.first, width) + extent(col, tile.size) + extent(in_tile, 4);
    const std::size_t bytes =
        run.precision == Precision::kExact ? sizeof(std::int16_t) : sizeof(std::uint8_t);
    const std::size_t group = extent(run.first + tile.first, width / kernels::kTokenGroup) +
                              extent(col / kernels::kTokenGroup, tile.size) + extent(in_tile);
    return {.q = reinterpret_cast<std::byte*>(q.data() + extent(run.first, width)) + number * bytes,
            .scales = scales.data() + group,
            .sums = sums.data() + group,
            .step = tile.size};
}

kernels::QuantizedTokens TokenBuffer::integers(const TokenRun& run) const noexcept {
    const std::size_t group = extent(run.first, width / kernels::kTokenGroup);
    return {.q = q.data() + extent(run.first, width),
            .scales = scales.data() + group,
            .sums = sums.data() + group};
}

Workspace::Workspace(const ModelConfig& config, std::int32_t tile_tokens, std::int32_t n_threads)
    : x(extent(kChunkTokens, config.n_embd)),
      h(config.n_embd, tile_tokens),
      q(extent(kChunkTokens, config.n_heads * config.head_dim)),
      k(extent(kChunkTokens, config.n_kv_heads * config.head_dim)),
      v(extent(kChunkTokens, config.n_kv_heads * config.head_dim)),
      heads(config.n_heads * config.head_dim, tile_tokens),
      gate(config.n_ff, tile_tokens),
      up(extent(kChunkTokens, config.n_ff)),
      cos_sin(extent(kChunkTokens, config.n_rot)) {
    for (std::int32_t thread = 0; thread < n_threads; ++thread) {
        scratch.emplace_back(scratch_floats(config));
        stage.emplace_back(extent(kStageFloats));
    }
}

std::uint64_t Workspace::floats(const ModelConfig& config, std::int32_t n_threads) {
    const std::size_t integers =  // half a float each, and two floats for every group
        extent(config.n_embd + config.n_heads * config.head_dim + config.n_ff);
    const std::size_t per_token = 2 * extent(config.n_embd) +
                                  2 * extent(config.n_heads, config.head_dim) +
                                  2 * extent(config.n_kv_heads, config.head_dim) +
                                  2 * extent(config.n_ff) + extent(config.n_rot) + integers / 2 +
                                  2 * integers / static_cast<std::size_t>(kernels::kTokenGroup);
    return per_token * kChunkTokens +
           extent(n_threads) * (scratch_floats(config) + extent(kStageFloats));
}

}  // namespace notso::ml
