#include "ml/model/workspace.hpp"

#include <cstdlib>
#include <new>

#include "ml/kernels/table.hpp"

namespace notso::ml {
namespace {

constexpr std::size_t kBufferAlignment = 64;

std::size_t size(std::int32_t a, std::int32_t b = 1) {
    return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
}

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
      values(size(kChunkTokens, n_cols)),
      q(size(kChunkTokens, n_cols)),
      scales(size(kChunkTokens, n_cols / kernels::kTokenGroup)),
      sums(size(kChunkTokens, n_cols / kernels::kTokenGroup)) {}

kernels::TokenPlace TokenBuffer::place(std::int32_t token,
                                       std::int32_t n_tokens,
                                       std::int32_t col,
                                       Precision precision) const noexcept {
    const kernels::TokenTile tile = kernels::tile_of_token(token, n_tokens, tile_tokens);
    const std::int32_t in_tile = token - tile.first;
    const std::size_t bytes =
        precision == Precision::kExact ? sizeof(std::int16_t) : sizeof(std::uint8_t);
    const std::size_t number = size(tile.first, width) + size(col, tile.size) + size(in_tile, 4);
    const std::size_t group = size(tile.first, width / kernels::kTokenGroup) +
                              size(col / kernels::kTokenGroup, tile.size) + size(in_tile);
    return {.q = reinterpret_cast<std::byte*>(q.data()) + number * bytes,
            .scales = scales.data() + group,
            .sums = sums.data() + group,
            .step = tile.size};
}

Workspace::Workspace(const ModelConfig& config, std::int32_t tile_tokens, std::int32_t n_threads)
    : x(size(kChunkTokens, config.n_embd)),
      h(config.n_embd, tile_tokens),
      q(size(kChunkTokens, config.n_heads * config.head_dim)),
      k(size(kChunkTokens, config.n_kv_heads * config.head_dim)),
      v(size(kChunkTokens, config.n_kv_heads * config.head_dim)),
      heads(config.n_heads * config.head_dim, tile_tokens),
      gate(config.n_ff, tile_tokens),
      up(size(kChunkTokens, config.n_ff)),
      cos_sin(size(kChunkTokens, config.n_rot)) {
    for (std::int32_t thread = 0; thread < n_threads; ++thread)
        scratch.emplace_back(scratch_floats(config));
}

std::uint64_t Workspace::floats(const ModelConfig& config, std::int32_t n_threads) {
    const std::size_t integers =  // half a float each, and two floats for every group
        size(config.n_embd + config.n_heads * config.head_dim + config.n_ff);
    const std::size_t per_token =
        2 * size(config.n_embd) + 2 * size(config.n_heads, config.head_dim) +
        2 * size(config.n_kv_heads, config.head_dim) + 2 * size(config.n_ff) + size(config.n_rot) +
        integers / 2 + 2 * integers / static_cast<std::size_t>(kernels::kTokenGroup);
    return per_token * kChunkTokens + size(n_threads) * scratch_floats(config);
}

}  // namespace notso::ml
