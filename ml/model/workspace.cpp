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

FloatBuffer::FloatBuffer(std::size_t n) {
    const std::size_t bytes = (n * sizeof(float) + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
    auto* data = static_cast<float*>(std::aligned_alloc(kBufferAlignment, bytes));
    if (data == nullptr) throw std::bad_alloc();
    std::fill_n(data, bytes / sizeof(float), 0.0f);
    data_.reset(data);
}

void FloatBuffer::Free::operator()(float* p) const noexcept { std::free(p); }

Workspace::Workspace(const ModelConfig& config, std::int32_t n_threads)
    : x(size(kChunkTokens, config.n_embd)),
      h(size(kChunkTokens, config.n_embd)),
      q(size(kChunkTokens, config.n_heads * config.head_dim)),
      k(size(kChunkTokens, config.n_kv_heads * config.head_dim)),
      v(size(kChunkTokens, config.n_kv_heads * config.head_dim)),
      heads(size(kChunkTokens, config.n_heads * config.head_dim)),
      gate(size(kChunkTokens, config.n_ff)),
      up(size(kChunkTokens, config.n_ff)),
      cos_sin(size(kChunkTokens, config.n_rot)) {
    for (std::int32_t thread = 0; thread < n_threads; ++thread)
        scratch.emplace_back(scratch_floats(config));
}

std::uint64_t Workspace::floats(const ModelConfig& config, std::int32_t n_threads) {
    const std::size_t per_token =
        2 * size(config.n_embd) + 2 * size(config.n_heads, config.head_dim) +
        2 * size(config.n_kv_heads, config.head_dim) + 2 * size(config.n_ff) + size(config.n_rot);
    return per_token * kChunkTokens + size(n_threads) * scratch_floats(config);
}

}  // namespace notso::ml
