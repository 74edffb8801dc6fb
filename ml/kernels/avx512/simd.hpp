// Sixteen f32 lanes in one AVX-512 register. The same operations in the same order as
// ../avx2/simd.hpp, so both give the same bits. Only for files compiled with the flags of this
// folder.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "ml/kernels/avx512/kernels.hpp"

namespace notso::ml::kernels {

struct Avx512 {
    using Vec = __m512;
    static constexpr int kTileRows = 4;  // 24 sums + 6 activations + 1 weight of 32 registers
    static constexpr int kTileTokens = 6;
    static constexpr int kGemvRows = 4;
    static constexpr int kValueVecs = 4;
    static constexpr int kValueQueries = 4;
    static constexpr int kScoreVecs = 4;
    static constexpr int kScoreQueries = 6;  // 24 sums
    static constexpr int kPackedPanels = 2;  // 12 registers of integers, 12 of sums
    static constexpr TileLimits kTiles = avx512::kTiles;
    static constexpr int kHalfDotTokens = 8;  ///< Up to so many: HalfDots (packed_dots.hpp).
    /// Whether unpacking for every tile costs less than storing what was unpacked, however many
    /// tokens there are: where a line takes a mask and a shift, and a tile is one group.
    template <class P>
    static constexpr bool kNeverStores = P::kElements == 32;

    static Vec zero() { return _mm512_setzero_ps(); }
    static Vec set1(float value) { return _mm512_set1_ps(value); }
    static Vec load(const float* p) { return _mm512_loadu_ps(p); }
    static void store(float* p, Vec v) { _mm512_storeu_ps(p, v); }
    static Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
    static Vec sub(Vec a, Vec b) { return _mm512_sub_ps(a, b); }
    static Vec mul(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
    static Vec div(Vec a, Vec b) { return _mm512_div_ps(a, b); }
    /// The second operand where either is NaN.
    static Vec max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
    static Vec min(Vec a, Vec b) { return _mm512_min_ps(a, b); }
    static Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }

    /// sums[r * kTokens + t] += w[r] * x[t], over sixteen columns of a tile of rows and tokens.
    template <int kRows, int kTokens>
    [[gnu::always_inline]] static void multiply_add(const float* w,
                                                    std::ptrdiff_t w_stride,
                                                    const float* x,
                                                    std::ptrdiff_t x_stride,
                                                    Vec* sums) {
        Vec tokens[kTokens];
#pragma GCC unroll 8
        for (int t = 0; t < kTokens; ++t) tokens[t] = load(x + t * x_stride);
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) {
            const Vec row = load(w + r * w_stride);
#pragma GCC unroll 8
            for (int t = 0; t < kTokens; ++t)
                sums[r * kTokens + t] = fma(row, tokens[t], sums[r * kTokens + t]);
        }
    }

    static Vec load_f16(const void* p) {
        return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
    }
    static void store_f16(void* p, Vec v) {
        _mm256_storeu_si256(static_cast<__m256i*>(p),
                            _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
    }
    static Vec load_bf16(const void* p) {
        const __m512i wide =
            _mm512_cvtepu16_epi32(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
        return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
    }
    static Vec from_i8(__m128i bytes) { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes)); }

    /// Rounds to nearest, ties to even; beyond a byte: its limits. NaN becomes -128.
    static void store_i8(std::int8_t* p, Vec v) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                         _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(v)));
    }

    /// Sixteen bytes to low and high nibbles, each as scale · q + offset: a look-up in a table of
    /// sixteen.
    static void nibbles(const std::uint8_t* p,
                        Vec low_scale,
                        Vec low_offset,
                        Vec high_scale,
                        Vec high_offset,
                        Vec& low,
                        Vec& high) {
        const __m512 digits = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        const __m512i index =
            _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
        low = _mm512_permutexvar_ps(index, fma(digits, low_scale, low_offset));
        high = _mm512_permutexvar_ps(_mm512_srli_epi32(index, 4),
                                     fma(digits, high_scale, high_offset));
    }

    /// 64 signed numbers of 6 bits, minus 32: a nibble of each of 64 bytes, and of each of 32 bytes
    /// two neighbouring bit pairs, the first for numbers 0..31. All from bit `shift` on.
    static void six_bits(const std::uint8_t* low, const std::uint8_t* high, int shift, __m128i* q) {
        const __m512i nibbles = _mm512_and_si512(_mm512_srli_epi16(_mm512_loadu_si512(low), shift),
                                                 _mm512_set1_epi8(0x0F));
        const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(high));
        const __m512i pairs =
            _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_srli_epi16(bytes, shift)),
                               _mm256_srli_epi16(bytes, shift + 2),
                               1);
        const __m512i top = _mm512_slli_epi16(_mm512_and_si512(pairs, _mm512_set1_epi8(0x03)), 4);
        const __m512i all = _mm512_sub_epi8(_mm512_or_si512(nibbles, top), _mm512_set1_epi8(32));
        q[0] = _mm512_castsi512_si128(all);
        q[1] = _mm512_extracti32x4_epi32(all, 1);
        q[2] = _mm512_extracti32x4_epi32(all, 2);
        q[3] = _mm512_extracti32x4_epi32(all, 3);
    }

    static Vec round(Vec v) {
        return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    }
    /// 2^n for whole n in [-126, 127].
    static Vec exp2_whole(Vec n) {
        const __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
        return _mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23));
    }
    /// 0 where x < limit, else v.
    static Vec zero_below(Vec v, Vec x, float limit) {
        const __mmask16 below = _mm512_cmp_ps_mask(x, _mm512_set1_ps(limit), _CMP_LT_OQ);
        return _mm512_mask_mov_ps(v, below, _mm512_setzero_ps());
    }

    static float sum(Vec v) {
        __m128 s = fold(v);
        s = _mm_hadd_ps(s, s);
        return _mm_cvtss_f32(_mm_hadd_ps(s, s));
    }
    /// Four sums, each in the order of sum().
    static void sum4(const Vec* v, float* out) {
        const __m128 first = _mm_hadd_ps(fold(v[0]), fold(v[1]));
        const __m128 second = _mm_hadd_ps(fold(v[2]), fold(v[3]));
        _mm_storeu_ps(out, _mm_hadd_ps(first, second));
    }
    static float greatest(Vec v) { return _mm512_reduce_max_ps(v); }

    // Integers: sixteen of 32 bits, 32 of 16 bits in pairs, or 64 of 8 bits. A line of packed
    // weights is sixteen rows times four bytes.
    using Ints = __m512i;
    static Ints zero_ints() { return _mm512_setzero_si512(); }
    static Ints load_line(const void* p) { return _mm512_loadu_si512(p); }
    static void store_line(void* p, Ints v) { _mm512_storeu_si512(p, v); }
    static Ints shift_right16(Ints v, int n) { return _mm512_srli_epi16(v, n); }
    static Ints shift_left16(Ints v, int n) { return _mm512_slli_epi16(v, n); }
    static Ints and8(Ints v, int mask) {
        return _mm512_and_si512(v, _mm512_set1_epi8(static_cast<char>(mask)));
    }
    static Ints and16(Ints v, int mask) {
        return _mm512_and_si512(v, _mm512_set1_epi16(static_cast<short>(mask)));
    }
    static Ints or_(Ints a, Ints b) { return _mm512_or_si512(a, b); }
    static Ints add32(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
    /// Of signed numbers.
    template <int kBits>
    static Ints shift_right32(Ints v) {
        if constexpr (kBits == 0) return v;
        return _mm512_srai_epi32(v, kBits);
    }
    static Ints sub8(Ints v, int n) {
        return _mm512_sub_epi8(v, _mm512_set1_epi8(static_cast<char>(n)));
    }
    /// n · 2^kShift, a whole number.
    template <int kShift>
    static Ints set1_shifted(std::int32_t n) {
        const __m512i all = _mm512_set1_epi32(n);
        if constexpr (kShift == 0) return all;
        if constexpr (kShift < 0) return _mm512_srai_epi32(all, -kShift);
        return _mm512_slli_epi32(all, kShift);
    }
    /// Sixteen pairs of 16 bits from numbers of 8, the first of each pair from a.
    static void store_pairs(std::int16_t* p, __m128i a, __m128i b) {
        const __m512i upper = _mm512_slli_epi32(_mm512_cvtepi8_epi32(b), 16);
        _mm512_storeu_si512(p, _mm512_or_si512(upper, _mm512_cvtepi8_epi32(a)));
    }
    /// The NaN without other bits for every NaN: rounding carries nothing into its sign.
    static Vec plain_nan(Vec v) {
        const __mmask16 is_nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
        return _mm512_mask_mov_ps(v, is_nan, _mm512_set1_ps(__builtin_nanf("")));
    }
    /// Sixteen pairs of numbers as nearest_bf16 (packed.hpp) has them, the first of each from a.
    static void store_bf16(std::uint16_t* p, Vec a, Vec b) {
        const __m512i half = _mm512_set1_epi32(0x8000);
        const __m512i lower = _mm512_srli_epi32(_mm512_add_epi32(_mm512_castps_si512(a), half), 16);
        const __m512i upper = _mm512_add_epi32(_mm512_castps_si512(b), half);
        _mm512_storeu_si512(p, _mm512_or_si512(upper_halves(upper), lower));
    }
    /// The nearest bf16, ties to even, still as f32. NaN stays NaN.
    static Vec round_to_bf16(Vec v) {
        const __m512i bits = _mm512_castps_si512(v);
        const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
        const __m512i up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
        const __mmask16 is_nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
        return _mm512_mask_mov_ps(
            _mm512_castsi512_ps(upper_halves(up)), is_nan, _mm512_set1_ps(__builtin_nanf("")));
    }
    /// Sixteen numbers of a, then of b, as bf16, rounded to nearest, ties to even.
    static Vec bf16_row(Vec a, Vec b) {
        const __m512i low = _mm512_castsi256_si512(_mm512_cvtepi32_epi16(halves(a)));
        return _mm512_castsi512_ps(_mm512_inserti64x4(low, _mm512_cvtepi32_epi16(halves(b)), 1));
    }
    /// The same in pairs, the first of each from a.
    static Vec bf16_pairs(Vec a, Vec b) { return interleave16(bf16_row(a, b)); }
    /// sums + a[2i + 1] * b[2i + 1] + a[2i] * b[2i], of bf16.
    static Vec add_bf16_pairs(Vec sums, Vec a, Vec b) {
        const __m512i x = _mm512_castps_si512(a);
        const __m512i y = _mm512_castps_si512(b);
        sums = _mm512_fmadd_ps(
            _mm512_castsi512_ps(upper_halves(x)), _mm512_castsi512_ps(upper_halves(y)), sums);
        return _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_slli_epi32(x, 16)),
                               _mm512_castsi512_ps(_mm512_slli_epi32(y, 16)),
                               sums);
    }
    /// The same with one pair for all.
    static Vec add_bf16(Vec sums, Ints w, const std::uint16_t* x) {
        return add_bf16_pairs(sums, _mm512_castsi512_ps(w), _mm512_castsi512_ps(broadcast4(x)));
    }
    /// sums + w[2i] * x[0] + w[2i + 1] * x[1]. Where one panel reads them, x goes from memory into
    /// the product; in assembly, since GCC 12 would give it a register.
    template <int kPanels>
    static Ints add_dot2(Ints sums, Ints w, const std::int16_t* x) {
        if constexpr (kPanels > 1) return _mm512_dpwssd_epi32(sums, w, broadcast4(x));
        using Pair = std::int16_t[2];
        __asm__("vpdpwssd %2%{1to16%}, %1, %0"
                : "+v"(sums)
                : "v"(w), "m"(*reinterpret_cast<const Pair*>(x)));
        return sums;
    }
    /// How many lines a step of add_dot4 takes.
    template <int>
    static constexpr int kDot4Lines = 1;
    /// sums + bytes of a line * x[4]
    template <int kPanels, int kLines, int>
    static Ints add_dot4(Ints sums, const Ints* w, const std::int8_t* x) {
        return add_dots<kPanels>(sums, *w, x);
    }
    template <int kPanels>
    static Ints add_dots(Ints dots, Ints w, const std::int8_t* x) {
        if constexpr (kPanels > 1) return _mm512_dpbusd_epi32(dots, w, broadcast4(x));
        using Four = std::int8_t[4];
        __asm__("vpdpbusd %2%{1to16%}, %1, %0"
                : "+v"(dots)
                : "v"(w), "m"(*reinterpret_cast<const Four*>(x)));
        return dots;
    }
    // Dots of two neighbouring groups of columns, of 16 bits each, share 32: the first moves up,
    // the second is kept above zero until it is read.
    template <bool kSecond>
    static void begin_dots(Ints& dots, std::int32_t start) {
        if constexpr (kSecond) {
            dots = _mm512_add_epi32(_mm512_slli_epi32(dots, 16), _mm512_set1_epi32(start + 0x8000));
        } else {
            dots = _mm512_set1_epi32(start);
        }
    }
    /// all += dots * scales * shares, for both groups at the end of the second.
    template <bool kSecond>
    static void end_dots(Ints dots, Ints scales, const std::int16_t* shares, Ints& all) {
        if constexpr (!kSecond) return;
        const __m512i factors = _mm512_mullo_epi16(scales, broadcast4(shares));
        all = _mm512_dpwssd_epi32(all, _mm512_xor_si512(dots, _mm512_set1_epi32(0x8000)), factors);
    }
    static Vec to_float(Ints v) { return _mm512_cvtepi32_ps(v); }
    /// Whole numbers of 16 bits from a, then b; of every four the first and third, then the second
    /// and fourth.
    static void store_integers(std::int16_t* p, Vec a, Vec b) {
        const __m512i order =
            _mm512_broadcast_i32x4(_mm_set_epi64x(0x0F0E0B0A0D0C0908, 0x0706030205040100));
        _mm512_storeu_si512(p, _mm512_shuffle_epi8(to_words(a, b), order));
    }
    /// Numbers below 128 from a, then b, rounded to nearest, ties to even.
    static void store_integers(std::int8_t* p, Vec a, Vec b) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi16_epi8(to_words(a, b)));
    }
    static Vec abs(Vec v) { return _mm512_abs_ps(v); }
    static bool all_finite(Vec v) {
        return _mm512_cmp_ps_mask(abs(v), _mm512_set1_ps(__FLT_MAX__), _CMP_LE_OQ) == 0xFFFF;
    }
    /// c - a * b
    static Vec fnma(Vec a, Vec b, Vec c) { return _mm512_fnmadd_ps(a, b, c); }

  protected:
    static __m512i broadcast4(const void* p) {
        int four;
        __builtin_memcpy(&four, p, sizeof(four));
        return _mm512_set1_epi32(four);
    }
    /// Words 0 and 16, 1 and 17, …
    static Vec interleave16(Vec v) {
        const __m512i first = _mm512_cvtepu8_epi32(
            _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
        const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(16));
        const __m512i order = _mm512_or_si512(first, _mm512_slli_epi32(second, 16));
        return _mm512_castsi512_ps(_mm512_permutexvar_epi16(order, _mm512_castps_si512(v)));
    }

  private:
    /// As bf16, in the lower halves.
    static __m512i halves(Vec v) {
        return _mm512_srli_epi32(_mm512_castps_si512(round_to_bf16(v)), 16);
    }
    static __m512i upper_halves(__m512i v) {
        return _mm512_and_si512(v, _mm512_set1_epi32(-0x10000));
    }
    static __m512i to_words(Vec a, Vec b) {
        const __m512i low = _mm512_castsi256_si512(_mm512_cvtepi32_epi16(_mm512_cvtps_epi32(a)));
        return _mm512_inserti64x4(low, _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(b)), 1);
    }
    static __m128 fold(Vec v) {
        const __m256 high = _mm512_extractf32x8_ps(v, 1);
        const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), high);
        return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    }
};

/// Where the CPU has AVX512_BF16.
struct Avx512Bf16 : Avx512 {
    /// As Avx512's, bit by bit, but that numbers below 2^-126 are zero.
    static Vec add_bf16(Vec sums, Ints w, const std::uint16_t* x) {
        return add_bf16_pairs(sums, _mm512_castsi512_ps(w), _mm512_castsi512_ps(broadcast4(x)));
    }
    static Vec bf16_row(Vec a, Vec b) {
        Vec row;
        __asm__("vcvtne2ps2bf16 %2, %1, %0" : "=v"(row) : "v"(b), "v"(a));
        return row;
    }
    static Vec bf16_pairs(Vec a, Vec b) { return interleave16(bf16_row(a, b)); }
    static Vec add_bf16_pairs(Vec sums, Vec a, Vec b) {
        __asm__("vdpbf16ps %2, %1, %0" : "+v"(sums) : "v"(a), "v"(b));
        return sums;
    }
};

}  // namespace notso::ml::kernels
