// How attention reads and writes keys and values of each KvType, written once for every instruction
// set S.
#pragma once

#include <immintrin.h>

#include "ml/kernels/simd/blocks.hpp"
#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

// Each type K: store(row, out, n) makes the row of one head's key or value; load(stored, i) gives
// sixteen of its numbers as f32, from number i on, a multiple of sixteen. load_keys(tile, d, first)
// gives number d of sixteen keys of a tile (kv_tile.hpp), which takes kKeyLines lines of memory for
// all of them.

template <class S>
struct KvF32 {
    static constexpr KvType kType = KvType::kF32;
    static constexpr std::ptrdiff_t kKeyLines = 4;
    static void store(const float* row, std::byte* out, std::int32_t n) {
        __builtin_memcpy(out, row, static_cast<std::size_t>(n) * sizeof(float));
    }
    [[gnu::always_inline]] static typename S::Vec load(const std::byte* stored, std::ptrdiff_t i) {
        return S::load(reinterpret_cast<const float*>(stored) + i);
    }
    [[gnu::always_inline]] static typename S::Vec load_keys(const std::byte* tile,
                                                            std::ptrdiff_t d,
                                                            std::ptrdiff_t first) {
        return load(tile, d * kKvTileTokens + first);
    }
};

template <class S>
struct KvF16 {
    static constexpr KvType kType = KvType::kF16;
    static constexpr std::ptrdiff_t kKeyLines = 2;
    static void store(const float* row, std::byte* out, std::int32_t n) {
        std::int32_t i = 0;
        for (; i + 16 <= n; i += 16) S::store_f16(out + 2 * i, S::load(row + i));
        for (; i < n; ++i) {
            const unsigned short half = _cvtss_sh(row[i], _MM_FROUND_TO_NEAREST_INT);
            __builtin_memcpy(out + 2 * i, &half, sizeof(half));
        }
    }
    [[gnu::always_inline]] static typename S::Vec load(const std::byte* stored, std::ptrdiff_t i) {
        return S::load_f16(stored + 2 * i);
    }
    [[gnu::always_inline]] static typename S::Vec load_keys(const std::byte* tile,
                                                            std::ptrdiff_t d,
                                                            std::ptrdiff_t first) {
        return load(tile, d * kKvTileTokens + first);
    }
};

template <class S>
struct KvQ8_0 {
    static constexpr KvType kType = KvType::kQ8_0;
    static constexpr std::ptrdiff_t kKeyLines = 2;  // with their part of the scales
    using Block = quant::BlockQ8_0;
    static constexpr std::int32_t kElements = 32;

    /// The scale is rounded to f16 first, and numbers are divided by what will multiply them later.
    static void store(const float* row, std::byte* out, std::int32_t n) {
        auto* block = reinterpret_cast<Block*>(out);
        for (std::int32_t i = 0; i < n; i += kElements, ++block) {
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
    [[gnu::always_inline]] static typename S::Vec load(const std::byte* stored, std::ptrdiff_t i) {
        const auto* block = reinterpret_cast<const Block*>(stored) + i / kElements;
        const auto* numbers = reinterpret_cast<const __m128i*>(block->values + i % kElements);
        return S::mul(S::set1(_cvtsh_ss(block->d)), S::from_i8(_mm_loadu_si128(numbers)));
    }
    [[gnu::always_inline]] static typename S::Vec load_keys(const std::byte* tile,
                                                            std::ptrdiff_t d,
                                                            std::ptrdiff_t first) {
        constexpr std::ptrdiff_t kScaleBytes = sizeof(Block::d);
        const std::byte* block =
            tile + d / kElements * (std::ptrdiff_t{kKvTileTokens} * sizeof(Block));
        const auto* numbers = reinterpret_cast<const __m128i*>(
            block + kKvTileTokens * (kScaleBytes + d % kElements) + first);
        return S::mul(S::load_f16(block + kScaleBytes * first),
                      S::from_i8(_mm_loadu_si128(numbers)));
    }

  private:
    static typename S::Vec magnitude(typename S::Vec v) { return S::max(v, S::sub(S::zero(), v)); }
};

}  // namespace notso::ml::kernels
