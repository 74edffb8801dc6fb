// Fast decoders of the block types with 256 weights, in the manner of blocks.hpp.
#pragma once

#include "ml/kernels/simd/blocks.hpp"
#include "ml/quant/iq4_xs.hpp"
#include "ml/quant/q2_k.hpp"
#include "ml/quant/q3_k.hpp"
#include "ml/quant/q4_k.hpp"
#include "ml/quant/q5_k.hpp"
#include "ml/quant/q6_k.hpp"

namespace notso::ml::kernels {

/// out = d · each of eight bytes.
[[gnu::always_inline]] inline void scale_bytes(std::uint32_t first,
                                               std::uint32_t second,
                                               float d,
                                               float* out) {
    const __m128i bytes = _mm_set_epi32(0, 0, static_cast<int>(second), static_cast<int>(first));
    _mm256_store_ps(
        out, _mm256_mul_ps(_mm256_set1_ps(d), _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes))));
}

/// What a block of Q4_K or Q5_K shares.
struct ScalesAndOffsets {
    const std::uint8_t* nibbles;
    alignas(32) float scales[8];   // d · scale of each group
    alignas(32) float offsets[8];  // -(dmin · min)
};

template <class Block>
[[gnu::always_inline]] inline ScalesAndOffsets unpack_scales_and_offsets(const Block& block) {
    ScalesAndOffsets unpacked;
    unpacked.nibbles = block.nibbles;
    std::uint32_t words[3];
    __builtin_memcpy(words, block.packed, sizeof(words));
    constexpr std::uint32_t kLow6 = 0x3F3F3F3F;
    constexpr std::uint32_t kLow4 = 0x0F0F0F0F;
    constexpr std::uint32_t kTop2 = 0x03030303;
    const std::uint32_t scales = (words[2] & kLow4) | (((words[0] >> 6) & kTop2) << 4);
    const std::uint32_t mins = ((words[2] >> 4) & kLow4) | (((words[1] >> 6) & kTop2) << 4);
    scale_bytes(words[0] & kLow6, scales, _cvtsh_ss(block.d), unpacked.scales);
    scale_bytes(words[1] & kLow6, mins, -_cvtsh_ss(block.dmin), unpacked.offsets);
    return unpacked;
}

template <class S>
struct WeightsQ2_K {
    using Block = quant::BlockQ2_K;
    static constexpr int kElements = Block::kElements;
    static constexpr int kBytes = sizeof(Block);
    static constexpr int kSteps = 4;  // of 64 weights: two neighbouring bit pairs of 32 bytes
    struct Unpacked {
        const std::uint8_t* pairs;
        alignas(64) float scales[16];   // d · scale of each group
        alignas(64) float offsets[16];  // -(dmin · min)
    };
    [[gnu::always_inline]] static Unpacked begin(const std::byte* bytes) {
        const auto& block = *reinterpret_cast<const Block*>(bytes);
        Unpacked unpacked;
        unpacked.pairs = block.pairs;
        const __m128i packed = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block.packed));
        const __m128i mask = _mm_set1_epi8(0x0F);
        const auto scales = S::from_i8(_mm_and_si128(packed, mask));
        const auto mins = S::from_i8(_mm_and_si128(_mm_srli_epi16(packed, 4), mask));
        S::store(unpacked.scales, S::mul(S::set1(_cvtsh_ss(block.d)), scales));
        S::store(unpacked.offsets, S::mul(S::set1(-_cvtsh_ss(block.dmin)), mins));
        return unpacked;
    }
    template <class F>
    [[gnu::always_inline]] static void step(const Unpacked& unpacked, int i, F&& f) {
        const __m256i bytes =
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(unpacked.pairs + 32 * (i / 2)));
        const __m256i pairs = _mm256_srli_epi16(bytes, 4 * (i % 2));
        const __m256i mask = _mm256_set1_epi8(0x03);
        const __m256i q[2] = {_mm256_and_si256(pairs, mask),
                              _mm256_and_si256(_mm256_srli_epi16(pairs, 2), mask)};
#pragma GCC unroll 2
        for (int j = 0; j < 2; ++j) {
            const float* scales = unpacked.scales + 4 * i + 2 * j;
            const float* offsets = unpacked.offsets + 4 * i + 2 * j;
            f(64 * i + 32 * j,
              S::fma(S::from_i8(_mm256_castsi256_si128(q[j])),
                     S::set1(scales[0]),
                     S::set1(offsets[0])));
            f(64 * i + 32 * j + 16,
              S::fma(S::from_i8(_mm256_extracti128_si256(q[j], 1)),
                     S::set1(scales[1]),
                     S::set1(offsets[1])));
        }
    }
};

template <class S>
struct WeightsQ3_K {
    using Block = quant::BlockQ3_K;
    static constexpr int kElements = Block::kElements;
    static constexpr int kBytes = sizeof(Block);
    static constexpr int kSteps = 4;  // of 64 weights: two neighbouring bit pairs of 32 bytes
    struct Unpacked {
        const Block* block;
        alignas(64) float scales[16];  // d · (scale - 32) of each group
    };
    [[gnu::always_inline]] static Unpacked begin(const std::byte* bytes) {
        Unpacked unpacked;
        unpacked.block = reinterpret_cast<const Block*>(bytes);
        const std::uint8_t* packed = unpacked.block->packed;
        const __m128i low = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(packed));
        int top;
        __builtin_memcpy(&top, packed + 8, sizeof(top));
        const __m128i nibbles =
            _mm_and_si128(_mm_unpacklo_epi64(low, _mm_srli_epi16(low, 4)), _mm_set1_epi8(0x0F));
        const __m128i pairs = _mm_and_si128(
            _mm_srlv_epi32(_mm_set1_epi32(top), _mm_setr_epi32(0, 2, 4, 6)), _mm_set1_epi8(0x03));
        const __m128i scales =
            _mm_sub_epi8(_mm_or_si128(nibbles, _mm_slli_epi16(pairs, 4)), _mm_set1_epi8(32));
        S::store(unpacked.scales,
                 S::mul(S::set1(_cvtsh_ss(unpacked.block->d)), S::from_i8(scales)));
        return unpacked;
    }
    template <class F>
    [[gnu::always_inline]] static void step(const Unpacked& unpacked, int i, F&& f) {
        const __m256i bytes = _mm256_loadu_si256(
            reinterpret_cast<const __m256i*>(unpacked.block->pairs + 32 * (i / 2)));
        const __m256i pairs = _mm256_srli_epi16(bytes, 4 * (i % 2));
        // Bits 2 i and 2 i + 1 of the thirds move to bits 2 and 3.
        const __m256i thirds = _mm256_slli_epi16(
            _mm256_srli_epi16(
                _mm256_loadu_si256(reinterpret_cast<const __m256i*>(unpacked.block->thirds)),
                2 * i),
            2);
        const __m256i q[2] = {
            three_bits(pairs, thirds),
            three_bits(_mm256_srli_epi16(pairs, 2), _mm256_srli_epi16(thirds, 1))};
        const float* scales = unpacked.scales + 4 * i;
#pragma GCC unroll 2
        for (int j = 0; j < 2; ++j) {
            f(64 * i + 32 * j,
              S::mul(S::set1(scales[2 * j]), S::from_i8(_mm256_castsi256_si128(q[j]))));
            f(64 * i + 32 * j + 16,
              S::mul(S::set1(scales[2 * j + 1]), S::from_i8(_mm256_extracti128_si256(q[j], 1))));
        }
    }

  private:
    /// Bits 0 and 1 of one, bit 2 of the other, minus 4.
    [[gnu::always_inline]] static __m256i three_bits(__m256i pairs, __m256i thirds) {
        const __m256i four = _mm256_set1_epi8(0x04);
        return _mm256_sub_epi8(_mm256_or_si256(_mm256_and_si256(pairs, _mm256_set1_epi8(0x03)),
                                               _mm256_and_si256(thirds, four)),
                               four);
    }
};

template <class S>
struct WeightsQ4_K {
    using Block = quant::BlockQ4_K;
    static constexpr int kElements = Block::kElements;
    static constexpr int kBytes = sizeof(Block);
    static constexpr int kSteps = 4;  // of 64 weights: two groups that share 32 bytes
    using Unpacked = ScalesAndOffsets;
    [[gnu::always_inline]] static Unpacked begin(const std::byte* bytes) {
        return unpack_scales_and_offsets(*reinterpret_cast<const Block*>(bytes));
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
};

template <class S>
struct WeightsQ5_K {
    using Block = quant::BlockQ5_K;
    static constexpr int kElements = Block::kElements;
    static constexpr int kBytes = sizeof(Block);
    static constexpr int kSteps = 4;  // of 64 weights: two groups that share 32 bytes
    using Unpacked = ScalesAndOffsets;
    [[gnu::always_inline]] static Unpacked begin(const std::byte* bytes) {
        return unpack_scales_and_offsets(*reinterpret_cast<const Block*>(bytes));
    }
    template <class F>
    [[gnu::always_inline]] static void step(const Unpacked& unpacked, int i, F&& f) {
        constexpr int kFifthsBefore = sizeof(Block::fifths);  // they lie just before the nibbles
        const __m256i low_bits = _mm256_set1_epi8(0x0F);
        const __m256i bytes =
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(unpacked.nibbles + 32 * i));
        // Bits 2 i and 2 i + 1 of the fifths move to bits 4 and 5.
        const __m256i fifths =
            _mm256_slli_epi16(_mm256_srli_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(
                                                    unpacked.nibbles - kFifthsBefore)),
                                                2 * i),
                              4);
        const __m256i bit = _mm256_set1_epi8(0x10);
        emit(unpacked,
             2 * i,
             _mm256_or_si256(_mm256_and_si256(bytes, low_bits), _mm256_and_si256(fifths, bit)),
             f);
        emit(unpacked,
             2 * i + 1,
             _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(bytes, 4), low_bits),
                             _mm256_and_si256(_mm256_srli_epi16(fifths, 1), bit)),
             f);
    }

  private:
    /// The 32 weights of one group.
    template <class F>
    [[gnu::always_inline]] static void emit(const Unpacked& unpacked, int group, __m256i q, F&& f) {
        const auto scale = S::set1(unpacked.scales[group]);
        const auto offset = S::set1(unpacked.offsets[group]);
        f(32 * group, S::fma(S::from_i8(_mm256_castsi256_si128(q)), scale, offset));
        f(32 * group + 16, S::fma(S::from_i8(_mm256_extracti128_si256(q, 1)), scale, offset));
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

template <class S>
struct WeightsIQ4_XS {
    using Block = quant::BlockIQ4_XS;
    static constexpr int kElements = Block::kElements;
    static constexpr int kBytes = sizeof(Block);
    static constexpr int kSteps = 4;  // of 64 weights: two groups of sixteen bytes
    struct Unpacked {
        const std::uint8_t* nibbles;
        alignas(32) float scales[8];  // d · (scale - 32) of each group
    };
    [[gnu::always_inline]] static Unpacked begin(const std::byte* bytes) {
        const auto& block = *reinterpret_cast<const Block*>(bytes);
        Unpacked unpacked;
        unpacked.nibbles = block.nibbles;
        int low;
        __builtin_memcpy(&low, block.scales_low, sizeof(low));
        const __m256i nibbles =
            _mm256_and_si256(_mm256_srlv_epi32(_mm256_set1_epi32(low),
                                               _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28)),
                             _mm256_set1_epi32(0x0F));
        const __m256i pairs =
            _mm256_and_si256(_mm256_srlv_epi32(_mm256_set1_epi32(block.scales_high),
                                               _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14)),
                             _mm256_set1_epi32(0x03));
        const __m256i scales = _mm256_sub_epi32(
            _mm256_or_si256(nibbles, _mm256_slli_epi32(pairs, 4)), _mm256_set1_epi32(32));
        _mm256_store_ps(
            unpacked.scales,
            _mm256_mul_ps(_mm256_set1_ps(_cvtsh_ss(block.d)), _mm256_cvtepi32_ps(scales)));
        return unpacked;
    }
    template <class F>
    [[gnu::always_inline]] static void step(const Unpacked& unpacked, int i, F&& f) {
#pragma GCC unroll 2
        for (int j = 0; j < 2; ++j) {
            const int group = 2 * i + j;
            const auto scale = S::set1(unpacked.scales[group]);
            const __m256i q = iq4_levels(unpacked.nibbles + 16 * group);
            f(32 * group, S::mul(scale, S::from_i8(_mm256_castsi256_si128(q))));
            f(32 * group + 16, S::mul(scale, S::from_i8(_mm256_extracti128_si256(q, 1))));
        }
    }
};

}  // namespace notso::ml::kernels
