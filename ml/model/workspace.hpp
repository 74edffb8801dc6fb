// Workspace: the buffers of one forward pass, allocated once per model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "ml/kernels/table.hpp"
#include "ml/model/model.hpp"

namespace notso::ml {

/// Tokens that go through the layers together: as many as one product takes.
inline constexpr std::int32_t kChunkTokens = kernels::kMatmulTokens;

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
    std::size_t slot;  ///< Of TokenBuffer::integers_of.
};

/// The tokens of a buffer by the precision of their products: first all exact ones, then all fast
/// ones.
struct TokenRuns {
    std::int32_t n_exact = 0;
    std::int32_t n_fast = 0;
    bool fast_exactly = false;  ///< A product that takes fast tokens exactly all the same.

    std::int32_t size() const noexcept { return n_exact + n_fast; }
    TokenRun exact() const noexcept { return {0, n_exact, Precision::kExact, 0}; }
    TokenRun fast() const noexcept {
        if (fast_exactly) return {n_exact, n_fast, Precision::kExact, 2};
        return {n_exact, n_fast, Precision::kFast, 1};
    }
    /// The same for a product that takes all of them exactly.
    TokenRuns exactly() const noexcept { return {n_exact, n_fast, true}; }
    TokenRun of_token(std::int32_t token) const noexcept {
        return token < n_exact ? exact() : fast();
    }
};

/// Integers of tokens for products of one precision, as kernels::QuantizedTokens says.
struct IntegerBuffer {
    IntegerBuffer(Precision precision, std::int32_t n_cols);
    /// Floats that these take, about.
    static std::size_t floats(Precision precision, std::int32_t n_cols);

    Buffer<std::byte> q;
    FloatBuffer scales;
    FloatBuffer sums;
    Buffer<std::int32_t> starts;
    Buffer<std::int16_t> shares;
    Buffer<std::uint16_t> rounded_sums;
    FloatBuffer block_scales;
};

/// What products read: tokens as they are, and as integers for packed weights.
struct TokenBuffer {
    /// @param fast_exactly  Some products take fast tokens exactly.
    TokenBuffer(std::int32_t n_cols, kernels::TileLimits tiles, bool fast_exactly = false);

    float* row(std::int32_t token) const noexcept { return row_of(values, token, width); }
    /// Where the integers of a token of a run go, from a column on that begins a group.
    kernels::TokenPlace place(const TokenRun& run,
                              std::int32_t token,
                              std::int32_t col) const noexcept;
    /// All tokens of a run, as `place` put them.
    kernels::QuantizedTokens integers(const TokenRun& run) const noexcept;

    std::int32_t width;
    kernels::TileLimits tiles;  ///< Of integers.
    FloatBuffer values;         ///< [kChunkTokens, width]
    /// Of exact tokens, of fast ones, and of fast ones for products that take them exactly.
    std::vector<IntegerBuffer> integers_of;
    bool has_packed = false;    ///< A packed matrix reads it: integers are wanted.
    bool has_unpacked = false;  ///< Another matrix reads it: values are wanted.
};

/// Results of 256 rows of a matrix for a whole chunk, or of more for fewer tokens.
inline constexpr std::int32_t kStageFloats = 256 * kChunkTokens;

struct Workspace {
    Workspace(const ModelConfig& config, kernels::TileLimits tiles, std::int32_t n_threads);

    /// Floats of everything below.
    static std::uint64_t floats(const ModelConfig& config, std::int32_t n_threads);

    FloatBuffer x;        ///< [kChunkTokens, n_embd] the residual stream
    TokenBuffer h;        ///< [kChunkTokens, n_embd] its normed copy
    FloatBuffer q;        ///< [kChunkTokens, n_heads * head_dim]
    FloatBuffer k;        ///< [kChunkTokens, n_kv_heads * head_dim]
    FloatBuffer v;        ///< [kChunkTokens, n_kv_heads * head_dim]
    TokenBuffer heads;    ///< [kChunkTokens, n_heads * head_dim] what attention gathered
    TokenBuffer gate;     ///< [kChunkTokens, n_ff]
    FloatBuffer cos_sin;  ///< [kChunkTokens, n_rot]
    std::vector<FloatBuffer> scratch;  ///< Of each thread, for the kernels.
    /// [2, kStageFloats] of each thread: results on their way out, in the cache meanwhile.
    std::vector<FloatBuffer> stage;
};

}  // namespace notso::ml
