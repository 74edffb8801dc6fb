// Workspace: the buffers of one forward pass, allocated once per model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ml/model/model.hpp"

namespace notso::ml {

inline constexpr std::int32_t kChunkTokens = 128;  ///< Tokens that go through the layers together.

/// Zeroed floats, aligned to a cache line.
class FloatBuffer {
  public:
    FloatBuffer() = default;
    explicit FloatBuffer(std::size_t n);

    float* data() const noexcept { return data_.get(); }

  private:
    struct Free {
        void operator()(float* p) const noexcept;
    };
    std::unique_ptr<float[], Free> data_;
};

struct Workspace {
    Workspace(const ModelConfig& config, std::int32_t n_threads);

    /// Floats of everything below.
    static std::uint64_t floats(const ModelConfig& config, std::int32_t n_threads);

    FloatBuffer x;        ///< [kChunkTokens, n_embd] the residual stream
    FloatBuffer h;        ///< [kChunkTokens, n_embd] its normed copy
    FloatBuffer q;        ///< [kChunkTokens, n_heads * head_dim]
    FloatBuffer k;        ///< [kChunkTokens, n_kv_heads * head_dim]
    FloatBuffer v;        ///< [kChunkTokens, n_kv_heads * head_dim]
    FloatBuffer heads;    ///< [kChunkTokens, n_heads * head_dim] what attention gathered
    FloatBuffer gate;     ///< [kChunkTokens, n_ff]
    FloatBuffer up;       ///< [kChunkTokens, n_ff]
    FloatBuffer cos_sin;  ///< [kChunkTokens, n_rot]
    std::vector<FloatBuffer> scratch;  ///< Of each thread, for the kernels.
};

}  // namespace notso::ml
