// Fast decoders of the block types (those of 256 weights are in blocks_k.hpp): each hands out its
// weights sixteen at a time, in ascending order. S is the instruction set (../avx2/simd.hpp,
// ../avx512/simd.hpp). Results are bit-equal with ml/quant: products of an f16 scale and a small
// integer are exact in f32, so a fused multiply-add rounds once, as the format does. Only the sign
// of a zero may differ, and NaN may stand for infinity where a scale is infinite.
#pragma once

#include <immintrin.h>

#include "ml/quant/bf16.hpp"
#include "ml/quant/f16.hpp"
#include "ml/quant/f32.hpp"
#include "ml/quant/iq4_nl.hpp"
#include "ml/quant/q4_0.hpp"
#include "ml/quant/q4_1.hpp"
#include "ml/quant/q5_0.hpp"
#include "ml/quant/q5_1.hpp"
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

/// The bit of each of 32 weights, as bytes: `set` where it is 1, `clear` where it is 0.
[[gnu::always_inline]] inline __m256i spread_bits(const std::uint8_t* bits,
                                                  std::int8_t set,
                                                  std::int8_t clear) {
    int word;
    __builtin_memcpy(&word, bits, sizeof(word));
    // Byte i / 8 of the four goes to lane i, whose own bit of it then decides.
    const __m256i spread =
        _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i own_bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
    const __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(word), spread);
    const __m256i is_set = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, own_bit), own_bit);
    return _mm256_blendv_epi8(_mm256_set1_epi8(clear), _mm256_set1_epi8(set), is_set);
}

/// Sixteen bytes to 32: the low nibbles, then the high ones.
[[gnu::always_inline]] inline __m256i spread_nibbles(const std::uint8_t* nibbles) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(nibbles));
    return _mm256_and_si256(_mm256_set_m128i(_mm_srli_epi16(bytes, 4), bytes),
                            _mm256_set1_epi8(0x0F));
}

/// Q5_0: centred in integers, as the format does.
template <class S>
struct WeightsQ5_0 {
    using Block = quant::BlockQ5_0;
    static constexpr int kElements = Block::kElements;
    static constexpr int kBytes = sizeof(Block);
    static constexpr int kSteps = 1;
    using Unpacked = const Block*;
    static Unpacked begin(const std::byte* block) { return reinterpret_cast<const Block*>(block); }
    template <class F>
    [[gnu::always_inline]] static void step(Unpacked block, int, F&& f) {
        const auto scale = S::set1(_cvtsh_ss(block->d));
        // A nibble with the upper bits 1111 is that nibble minus 16.
        const __m256i q =
            _mm256_or_si256(spread_nibbles(block->nibbles), spread_bits(block->fifths, 0, -16));
        f(0, S::mul(scale, S::from_i8(_mm256_castsi256_si128(q))));
        f(16, S::mul(scale, S::from_i8(_mm256_extracti128_si256(q, 1))));
    }
};

template <class S>
struct WeightsQ5_1 {
    using Block = quant::BlockQ5_1;
    static constexpr int kElements = Block::kElements;
    static constexpr int kBytes = sizeof(Block);
    static constexpr int kSteps = 1;
    using Unpacked = const Block*;
    static Unpacked begin(const std::byte* block) { return reinterpret_cast<const Block*>(block); }
    template <class F>
    [[gnu::always_inline]] static void step(Unpacked block, int, F&& f) {
        const auto scale = S::set1(_cvtsh_ss(block->d));
        const auto offset = S::set1(_cvtsh_ss(block->m));
        const __m256i q =
            _mm256_or_si256(spread_nibbles(block->nibbles), spread_bits(block->fifths, 16, 0));
        f(0, S::fma(S::from_i8(_mm256_castsi256_si128(q)), scale, offset));
        f(16, S::fma(S::from_i8(_mm256_extracti128_si256(q, 1)), scale, offset));
    }
};

/// The levels of sixteen bytes' nibbles: the low ones, then the high ones.
[[gnu::always_inline]] inline __m256i iq4_levels(const std::uint8_t* nibbles) {
    const __m128i levels = _mm_loadu_si128(reinterpret_cast<const __m128i*>(quant::kIq4Values));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(levels), spread_nibbles(nibbles));
}

template <class S>
struct WeightsIQ4_NL {
    using Block = quant::BlockIQ4_NL;
    static constexpr int kElements = Block::kElements;
    static constexpr int kBytes = sizeof(Block);
    static constexpr int kSteps = 1;
    using Unpacked = const Block*;
    static Unpacked begin(const std::byte* block) { return reinterpret_cast<const Block*>(block); }
    template <class F>
    [[gnu::always_inline]] static void step(Unpacked block, int, F&& f) {
        const auto scale = S::set1(_cvtsh_ss(block->d));
        const __m256i q = iq4_levels(block->nibbles);
        f(0, S::mul(scale, S::from_i8(_mm256_castsi256_si128(q))));
        f(16, S::mul(scale, S::from_i8(_mm256_extracti128_si256(q, 1))));
    }
};

}  // namespace notso::ml::kernels
