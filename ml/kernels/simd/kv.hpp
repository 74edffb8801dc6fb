// How attention reads and writes keys and values of each KvType, written once for every instruction
// set S. A reader turns rows of a tile into f32; what is not f32 already is decoded into `tile`.
#pragma once

#include <immintrin.h>

#include "ml/kernels/simd/blocks.hpp"
#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

// Each type K: store(row, out, n) writes one head's key or value; rows(stored, tile, n) gives n
// stored numbers as f32, n being a multiple of sixteen.

template <class S>
struct KvF32 {
    static constexpr KvType kType = KvType::kF32;
    static void store(const float* row, std::byte* out, std::int32_t n) {
        __builtin_memcpy(out, row, static_cast<std::size_t>(n) * sizeof(float));
    }
    static const float* rows(const std::byte* stored, float*, std::ptrdiff_t) {
        return reinterpret_cast<const float*>(stored);
    }
};

template <class S>
struct KvF16 {
    static constexpr KvType kType = KvType::kF16;
    static void store(const float* row, std::byte* out, std::int32_t n) {
        std::int32_t i = 0;
        for (; i + 16 <= n; i += 16) S::store_f16(out + 2 * i, S::load(row + i));
        for (; i < n; ++i) {
            const unsigned short half = _cvtss_sh(row[i], _MM_FROUND_TO_NEAREST_INT);
            __builtin_memcpy(out + 2 * i, &half, sizeof(half));
        }
    }
    static const float* rows(const std::byte* stored, float* tile, std::ptrdiff_t n) {
        for (std::ptrdiff_t i = 0; i < n; i += 16) S::store(tile + i, S::load_f16(stored + 2 * i));
        return tile;
    }
};

template <class S>
struct KvQ8_0 {
    static constexpr KvType kType = KvType::kQ8_0;
    using Block = quant::BlockQ8_0;
    using Reader = WeightsQ8_0<S>;

    /// The scale is rounded to f16 first, and numbers are divided by what will multiply them later.
    static void store(const float* row, std::byte* out, std::int32_t n) {
        auto* block = reinterpret_cast<Block*>(out);
        for (std::int32_t i = 0; i < n; i += Reader::kElements, ++block) {
            const auto low = S::load(row + i);
            const auto high = S::load(row + i + 16);
            const auto greatest = S::max(magnitude(low), magnitude(high));
            block->d = _cvtss_sh(S::greatest(greatest) / 127.0f, _MM_FROUND_TO_NEAREST_INT);
            const float d = _cvtsh_ss(block->d);
            const auto inverse = S::set1(d > 0.0f ? 1.0f / d : 0.0f);
            S::store_i8(block->values, S::mul(low, inverse));
            S::store_i8(block->values + 16, S::mul(high, inverse));
        }
    }
    static const float* rows(const std::byte* stored, float* tile, std::ptrdiff_t n) {
        for (std::ptrdiff_t i = 0; i < n; i += Reader::kElements, stored += Reader::kBytes) {
            Reader::step(Reader::begin(stored),
                         0,
                         [&](int at, typename S::Vec v)
                             __attribute__((always_inline)) { S::store(tile + i + at, v); });
        }
        return tile;
    }

  private:
    static typename S::Vec magnitude(typename S::Vec v) { return S::max(v, S::sub(S::zero(), v)); }
};

}  // namespace notso::ml::kernels
