// Fast decoders of the block types: each hands out its weights sixteen at a time, in ascending
// order. S is the instruction set (../avx2/simd.hpp, ../avx512/simd.hpp). Results are bit-equal
// with ml/quant: products of an f16 scale and a small integer are exact in f32, so a fused
// multiply-add rounds once, as the format does.
#pragma once

#include <immintrin.h>

#include "ml/quant/bf16.hpp"
#include "ml/quant/f16.hpp"
#include "ml/quant/f32.hpp"
#include "ml/quant/q4_0.hpp"
#include "ml/quant/q4_1.hpp"
#include "ml/quant/q4_k.hpp"
#include "ml/quant/q6_k.hpp"
#include "ml/quant/q8_0.hpp"

namespace notso::ml::kernels {

// Each: static constexpr kElements, kBytes; each(block, f) calls f(index of the first, Vec) for 16
// weights.

template <class S>
struct WeightsF32 {
    static constexpr int kElements = 32;
    static constexpr int kBytes = 128;
    template <class F>
    [[gnu::always_inline]] static void each(const std::byte* block, F&& f) {
        const auto* values = reinterpret_cast<const float*>(block);
        f(0, S::load(values));
        f(16, S::load(values + 16));
    }
};

template <class S>
struct WeightsF16 {
    static constexpr int kElements = 32;
    static constexpr int kBytes = 64;
    template <class F>
    [[gnu::always_inline]] static void each(const std::byte* block, F&& f) {
        f(0, S::load_f16(block));
        f(16, S::load_f16(block + 32));
    }
};

template <class S>
struct WeightsBF16 {
    static constexpr int kElements = 32;
    static constexpr int kBytes = 64;
    template <class F>
    [[gnu::always_inline]] static void each(const std::byte* block, F&& f) {
        f(0, S::load_bf16(block));
        f(16, S::load_bf16(block + 32));
    }
};

template <class S>
struct WeightsQ4_0 {
    using Block = quant::BlockQ4_0;
    static constexpr int kElements = Block::kElements;
    static constexpr int kBytes = sizeof(Block);
    template <class F>
    [[gnu::always_inline]] static void each(const std::byte* bytes, F&& f) {
        const auto* block = reinterpret_cast<const Block*>(bytes);
        const float d = _cvtsh_ss(block->d);
        const auto scale = S::set1(d);
        const auto offset = S::set1(-8.0f * d);
        typename S::Vec low;
        typename S::Vec high;
        S::nibbles(block->nibbles, scale, offset, scale, offset, low, high);
        f(0, low);
        f(16, high);
    }
};

template <class S>
struct WeightsQ4_1 {
    using Block = quant::BlockQ4_1;
    static constexpr int kElements = Block::kElements;
    static constexpr int kBytes = sizeof(Block);
    template <class F>
    [[gnu::always_inline]] static void each(const std::byte* bytes, F&& f) {
        const auto* block = reinterpret_cast<const Block*>(bytes);
        const auto scale = S::set1(_cvtsh_ss(block->d));
        const auto offset = S::set1(_cvtsh_ss(block->m));
        typename S::Vec low;
        typename S::Vec high;
        S::nibbles(block->nibbles, scale, offset, scale, offset, low, high);
        f(0, low);
        f(16, high);
    }
};

template <class S>
struct WeightsQ8_0 {
    using Block = quant::BlockQ8_0;
    static constexpr int kElements = Block::kElements;
    static constexpr int kBytes = sizeof(Block);
    template <class F>
    [[gnu::always_inline]] static void each(const std::byte* bytes, F&& f) {
        const auto* block = reinterpret_cast<const Block*>(bytes);
        const auto scale = S::set1(_cvtsh_ss(block->d));
        const auto* values = reinterpret_cast<const __m128i*>(block->values);
        f(0, S::mul(scale, S::from_i8(_mm_loadu_si128(values))));
        f(16, S::mul(scale, S::from_i8(_mm_loadu_si128(values + 1))));
    }
};

template <class S>
struct WeightsQ4_K {
    using Block = quant::BlockQ4_K;
    static constexpr int kElements = Block::kElements;
    static constexpr int kBytes = sizeof(Block);
    template <class F>
    [[gnu::always_inline]] static void each(const std::byte* bytes, F&& f) {
        const auto* block = reinterpret_cast<const Block*>(bytes);
        alignas(32) float scales[8];
        alignas(32) float offsets[8];
        unpack(*block, scales, offsets);
        for (int pair = 0; pair < 4; ++pair) {
            const auto low_scale = S::set1(scales[2 * pair]);
            const auto low_offset = S::set1(offsets[2 * pair]);
            const auto high_scale = S::set1(scales[2 * pair + 1]);
            const auto high_offset = S::set1(offsets[2 * pair + 1]);
            const std::uint8_t* nibbles = block->nibbles + 32 * pair;
            typename S::Vec low[2];
            typename S::Vec high[2];
            S::nibbles(nibbles, low_scale, low_offset, high_scale, high_offset, low[0], high[0]);
            S::nibbles(
                nibbles + 16, low_scale, low_offset, high_scale, high_offset, low[1], high[1]);
            f(64 * pair, low[0]);
            f(64 * pair + 16, low[1]);
            f(64 * pair + 32, high[0]);
            f(64 * pair + 48, high[1]);
        }
    }

  private:
    /// d · scale and -(dmin · min) of the eight groups.
    [[gnu::always_inline]] static void unpack(const Block& block, float* scales, float* offsets) {
        std::uint32_t words[3];
        __builtin_memcpy(words, block.packed, sizeof(words));
        constexpr std::uint32_t kLow6 = 0x3F3F3F3F;
        constexpr std::uint32_t kLow4 = 0x0F0F0F0F;
        constexpr std::uint32_t kTop2 = 0x03030303;
        const std::uint32_t scales_high = (words[2] & kLow4) | (((words[0] >> 6) & kTop2) << 4);
        const std::uint32_t mins_high =
            ((words[2] >> 4) & kLow4) | (((words[1] >> 6) & kTop2) << 4);
        store8(words[0] & kLow6, scales_high, _cvtsh_ss(block.d), scales);
        store8(words[1] & kLow6, mins_high, -_cvtsh_ss(block.dmin), offsets);
    }
    [[gnu::always_inline]] static void store8(std::uint32_t first,
                                              std::uint32_t second,
                                              float d,
                                              float* out) {
        const __m128i bytes =
            _mm_set_epi32(0, 0, static_cast<int>(second), static_cast<int>(first));
        _mm256_store_ps(
            out, _mm256_mul_ps(_mm256_set1_ps(d), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes))));
    }
};

template <class S>
struct WeightsQ6_K {
    using Block = quant::BlockQ6_K;
    static constexpr int kElements = Block::kElements;
    static constexpr int kBytes = sizeof(Block);
    template <class F>
    [[gnu::always_inline]] static void each(const std::byte* bytes, F&& f) {
        const auto* block = reinterpret_cast<const Block*>(bytes);
        alignas(64) float scales[16];
        const __m128i packed = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block->scales));
        S::store(scales, S::mul(S::set1(_cvtsh_ss(block->d)), S::from_i8(packed)));
        for (int half = 0; half < 2; ++half) {
            const std::uint8_t* low = block->low + 64 * half;
            const std::uint8_t* high = block->high + 32 * half;
            const int at = 128 * half;
            emit<0, 0>(low, high, scales + 8 * half, at, f);
            emit<0, 2>(low + 32, high, scales + 8 * half + 2, at + 32, f);
            emit<4, 4>(low, high, scales + 8 * half + 4, at + 64, f);
            emit<4, 6>(low + 32, high, scales + 8 * half + 6, at + 96, f);
        }
    }

  private:
    /// 32 weights: a nibble of 32 bytes and two bits of 32 others.
    template <int kLowShift, int kHighShift, class F>
    [[gnu::always_inline]] static void emit(
        const std::uint8_t* low, const std::uint8_t* high, const float* scales, int at, F&& f) {
        for (int i = 0; i < 2; ++i) {
            const __m128i nibbles = _mm_loadu_si128(reinterpret_cast<const __m128i*>(low + 16 * i));
            const __m128i pairs = _mm_loadu_si128(reinterpret_cast<const __m128i*>(high + 16 * i));
            const __m128i bits4 =
                _mm_and_si128(_mm_srli_epi16(nibbles, kLowShift), _mm_set1_epi8(0x0F));
            const __m128i bits2 =
                _mm_and_si128(_mm_srli_epi16(pairs, kHighShift), _mm_set1_epi8(0x03));
            const __m128i q = _mm_or_si128(bits4, _mm_slli_epi16(bits2, 4));
            f(at + 16 * i,
              S::mul(S::set1(scales[i]), S::from_i8(_mm_sub_epi8(q, _mm_set1_epi8(32)))));
        }
    }
};

}  // namespace notso::ml::kernels
