// Workspace: the buffers of one forward pass, allocated once per model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "ml/kernels/packed.hpp"
#include "ml/model/model.hpp"

namespace notso::ml {

inline constexpr std::int32_t kChunkTokens = 128;  ///< Tokens that go through the layers together.

/// A number of things, or of rows of `b` things.
constexpr std::size_t extent(std::int32_t a, std::int32_t b = 1) noexcept {
    return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
}

constexpr std::int32_t divide_up(std::int32_t a, std::int32_t b) noexcept {
    return (a + b - 1) / b;
}

/// Zeroed numbers, aligned to a cache line.
template <class T>
class Buffer {
  public:
    Buffer() = default;
    explicit Buffer(std::size_t n);

    T* data() const noexcept { return data_.get(); }

  private:
    struct Free {
        void operator()(T* p) const noexcept { std::free(p); }
    };
    std::unique_ptr<T[], Free> data_;
};
using FloatBuffer = Buffer<float>;

/// Start of row `index` of a buffer with rows of `width` floats.
inline float* row_of(const FloatBuffer& buffer, std::int32_t index, std::int32_t width) noexcept {
    return buffer.data() + extent(index, width);
}

/// Neighbouring tokens of a buffer that are made into integers and multiplied together.
struct TokenRun {
    std::int32_t first;
    std::int32_t size;
    Precision precision;
};

/// The tokens of a buffer by the precision of their products: first all exact ones, then all fast
/// ones.
struct TokenRuns {
    std::int32_t n_exact = 0;
    std::int32_t n_fast = 0;

    std::int32_t size() const noexcept { return n_exact + n_fast; }
    TokenRun of(Precision precision) const noexcept {
        if (precision == Precision::kExact) return {0, n_exact, precision};
        return {n_exact, n_fast, precision};
    }
    TokenRun of_token(std::int32_t token) const noexcept {
        return of(token < n_exact ? Precision::kExact : Precision::kFast);
    }
};

/// What products read: tokens as they are, and as integers for packed weights.
struct TokenBuffer {
    /// @param max_tile  KernelTable::tile_tokens
    TokenBuffer(std::int32_t n_cols, std::int32_t max_tile);

    float* row(std::int32_t token) const noexcept { return row_of(values, token, width); }
    /// Where the integers of a token of a run go, from a column on that begins a group.
    kernels::TokenPlace place(const TokenRun& run,
                              std::int32_t token,
                              std::int32_t col) const noexcept;
    /// All tokens of a run, as `place` put them.
    kernels::QuantizedTokens integers(const TokenRun& run) const noexcept;

    std::int32_t width;
    std::int32_t tile_tokens;
    FloatBuffer values;  ///< [kChunkTokens, width]
    /// [kChunkTokens, width], each run in tiles from its first token's row on; bytes for fast ones.
    Buffer<std::int16_t> q;
    FloatBuffer scales;       ///< [kChunkTokens, width / kTokenGroup], in tiles likewise
    FloatBuffer sums;         ///< the same
    bool has_packed = false;  ///< A packed matrix reads it: integers are wanted.
};

/// Logits of 256 rows of the vocabulary for a whole chunk, or of more for fewer tokens.
inline constexpr std::int32_t kStageFloats = 256 * kChunkTokens;

struct Workspace {
    Workspace(const ModelConfig& config, std::int32_t tile_tokens, std::int32_t n_threads);

    /// Floats of everything below.
    static std::uint64_t floats(const ModelConfig& config, std::int32_t n_threads);

    FloatBuffer x;        ///< [kChunkTokens, n_embd] the residual stream
    TokenBuffer h;        ///< [kChunkTokens, n_embd] its normed copy
    FloatBuffer q;        ///< [kChunkTokens, n_heads * head_dim]
    FloatBuffer k;        ///< [kChunkTokens, n_kv_heads * head_dim]
    FloatBuffer v;        ///< [kChunkTokens, n_kv_heads * head_dim]
    TokenBuffer heads;    ///< [kChunkTokens, n_heads * head_dim] what attention gathered
    TokenBuffer gate;     ///< [kChunkTokens, n_ff]
    FloatBuffer up;       ///< [kChunkTokens, n_ff]
    FloatBuffer cos_sin;  ///< [kChunkTokens, n_rot]
    std::vector<FloatBuffer> scratch;  ///< Of each thread, for the kernels.
    std::vector<FloatBuffer> stage;    ///< [kStageFloats] of each thread: logits on their way out.
};

}  // namespace notso::ml
