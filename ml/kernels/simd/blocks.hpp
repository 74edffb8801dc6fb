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

// Each type W: kElements weights in kBytes bytes, read in kSteps steps. begin(block) unpacks what
// the whole block shares; step(unpacked, i, f) calls f(column, Vec) for every sixteen weights of
// step i, in ascending order. Steps let the caller go through several rows side by side, which
// hides the latency of their sums.

template <class S>
struct WeightsF32 {
    static constexpr int kElements = 32;
    static constexpr int kBytes = 128;
    static constexpr int kSteps = 1;
    using Unpacked = const float*;
    static Unpacked begin(const std::byte* block) { return reinterpret_cast<const float*>(block); }
    template <class F>
    [[gnu::always_inline]] static void step(Unpacked values, int, F&& f) {
        f(0, S::load(values));
        f(16, S::load(values + 16));
    }
};

template <class S>
struct WeightsF16 {
    static constexpr int kElements = 32;
    static constexpr int kBytes = 64;
    static constexpr int kSteps = 1;
    using Unpacked = const std::byte*;
    static Unpacked begin(const std::byte* block) { return block; }
    template <class F>
    [[gnu::always_inline]] static void step(Unpacked block, int, F&& f) {
        f(0, S::load_f16(block));
        f(16, S::load_f16(block + 32));
    }
};

template <class S>
struct WeightsBF16 {
    static constexpr int kElements = 32;
    static constexpr int kBytes = 64;
    static constexpr int kSteps = 1;
    using Unpacked = const std::byte*;
    static Unpacked begin(const std::byte* block) { return block; }
    template <class F>
    [[gnu::always_inline]] static void step(Unpacked block, int, F&& f) {
        f(0, S::load_bf16(block));
        f(16, S::load_bf16(block + 32));
    }
};

/// Q4_0 and Q4_1: sixteen bytes with the first half of the block in the low nibbles.
template <class S, class Block, void (*unpack)(const Block&, float&, float&)>
struct WeightsNibbles {
    static constexpr int kElements = Block::kElements;
    static constexpr int kBytes = sizeof(Block);
    static constexpr int kSteps = 1;
    using Unpacked = const Block*;
    static Unpacked begin(const std::byte* block) { return reinterpret_cast<const Block*>(block); }
    template <class F>
    [[gnu::always_inline]] static void step(Unpacked block, int, F&& f) {
        float d;
        float m;
        unpack(*block, d, m);
        const auto scale = S::set1(d);
        const auto offset = S::set1(m);
        typename S::Vec low;
        typename S::Vec high;
        S::nibbles(block->nibbles, scale, offset, scale, offset, low, high);
        f(0, low);
        f(16, high);
    }
};

template <class S>
inline void unpack_q4_0(const quant::BlockQ4_0& block, float& scale, float& offset) {
    scale = _cvtsh_ss(block.d);
    offset = -8.0f * scale;
}
template <class S>
inline void unpack_q4_1(const quant::BlockQ4_1& block, float& scale, float& offset) {
    scale = _cvtsh_ss(block.d);
    offset = _cvtsh_ss(block.m);
}
template <class S>
using WeightsQ4_0 = WeightsNibbles<S, quant::BlockQ4_0, unpack_q4_0<S>>;
template <class S>
using WeightsQ4_1 = WeightsNibbles<S, quant::BlockQ4_1, unpack_q4_1<S>>;

template <class S>
struct WeightsQ8_0 {
    using Block = quant::BlockQ8_0;
    static constexpr int kElements = Block::kElements;
    static constexpr int kBytes = sizeof(Block);
    static constexpr int kSteps = 1;
    using Unpacked = const Block*;
    static Unpacked begin(const std::byte* block) { return reinterpret_cast<const Block*>(block); }
    template <class F>
    [[gnu::always_inline]] static void step(Unpacked block, int, F&& f) {
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
    static constexpr int kSteps = 4;  // of 64 weights: two groups that share 32 bytes
    struct Unpacked {
        const std::uint8_t* nibbles;
        alignas(32) float scales[8];   // d · scale of each group
        alignas(32) float offsets[8];  // -(dmin · min)
    };
    [[gnu::always_inline]] static Unpacked begin(const std::byte* bytes) {
        const auto* block = reinterpret_cast<const Block*>(bytes);
        Unpacked unpacked;
        unpacked.nibbles = block->nibbles;
        std::uint32_t words[3];
        __builtin_memcpy(words, block->packed, sizeof(words));
        constexpr std::uint32_t kLow6 = 0x3F3F3F3F;
        constexpr std::uint32_t kLow4 = 0x0F0F0F0F;
        constexpr std::uint32_t kTop2 = 0x03030303;
        const std::uint32_t scales = (words[2] & kLow4) | (((words[0] >> 6) & kTop2) << 4);
        const std::uint32_t mins = ((words[2] >> 4) & kLow4) | (((words[1] >> 6) & kTop2) << 4);
        store8(words[0] & kLow6, scales, _cvtsh_ss(block->d), unpacked.scales);
        store8(words[1] & kLow6, mins, -_cvtsh_ss(block->dmin), unpacked.offsets);
        return unpacked;
    }
    template <class F>
    [[gnu::always_inline]] static void step(const Unpacked& unpacked, int i, F&& f) {
        const auto low_scale = S::set1(unpacked.scales[2 * i]);
        const auto low_offset = S::set1(unpacked.offsets[2 * i]);
        const auto high_scale = S::set1(unpacked.scales[2 * i + 1]);
        const auto high_offset = S::set1(unpacked.offsets[2 * i + 1]);
        const std::uint8_t* nibbles = unpacked.nibbles + 32 * i;
        typename S::Vec low[2];
        typename S::Vec high[2];
        S::nibbles(nibbles, low_scale, low_offset, high_scale, high_offset, low[0], high[0]);
        S::nibbles(nibbles + 16, low_scale, low_offset, high_scale, high_offset, low[1], high[1]);
        f(64 * i, low[0]);
        f(64 * i + 16, low[1]);
        f(64 * i + 32, high[0]);
        f(64 * i + 48, high[1]);
    }

  private:
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
    static constexpr int kSteps =
        4;  // of 64 weights: one nibble of 64 bytes, two bits of each of 32 others, twice
    struct Unpacked {
        const Block* block;
        alignas(64) float scales[16];
    };
    [[gnu::always_inline]] static Unpacked begin(const std::byte* bytes) {
        Unpacked unpacked;
        unpacked.block = reinterpret_cast<const Block*>(bytes);
        const __m128i packed =
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(unpacked.block->scales));
        S::store(unpacked.scales,
                 S::mul(S::set1(_cvtsh_ss(unpacked.block->d)), S::from_i8(packed)));
        return unpacked;
    }
    template <class F>
    [[gnu::always_inline]] static void step(const Unpacked& unpacked, int i, F&& f) {
        const std::uint8_t* low = unpacked.block->low + 64 * (i / 2);
        const std::uint8_t* high = unpacked.block->high + 32 * (i / 2);
        const float* scales = unpacked.scales + 4 * i;
        const int shift =
            4 * (i % 2);  // low nibbles go with bit pairs 0 and 1, high ones with 2 and 3
        __m128i q[4];
        S::six_bits(low, high, shift, q);
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j)
            f(64 * i + 16 * j, S::mul(S::set1(scales[j]), S::from_i8(q[j])));
    }
};

}  // namespace notso::ml::kernels
