// Sixteen f32 lanes in two AVX2 registers. The same operations in the same order as
// ../avx512/simd.hpp, so both give the same bits. Only for files compiled with the flags of this
// folder.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "ml/kernels/avx2/kernels.hpp"

namespace notso::ml::kernels {

struct Avx2 {
    struct Vec {
        __m256 lo;
        __m256 hi;
    };
    static constexpr int kTileRows = 2;  // 12 registers of sums, of 16
    static constexpr int kTileTokens = 3;
    static constexpr int kGemvRows = 4;
    static constexpr int kValueVecs = 2;
    static constexpr int kValueQueries = 2;
    static constexpr int kScoreVecs = 2;
    static constexpr int kScoreQueries = 2;  // 8 registers of sums
    static constexpr int kPackedPanels = 1;  // 8 registers of sums
    static constexpr TileLimits kTiles = avx2::kTiles;
    static constexpr int kHalfDotTokens = 1;  // four registers of sums
    template <class P>
    static constexpr bool kNeverStores = false;

    static Vec zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
    static Vec set1(float value) { return {_mm256_set1_ps(value), _mm256_set1_ps(value)}; }
    static Vec load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
    static void store(float* p, Vec v) {
        _mm256_storeu_ps(p, v.lo);
        _mm256_storeu_ps(p + 8, v.hi);
    }
    static Vec add(Vec a, Vec b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
    static Vec sub(Vec a, Vec b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
    static Vec mul(Vec a, Vec b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
    static Vec div(Vec a, Vec b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
    /// The second operand where either is NaN.
    static Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }
    static Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }
    static Vec fma(Vec a, Vec b, Vec c) {
        return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
    }

    /// sums[r * kTokens + t] += w[r] * x[t], over sixteen columns of a tile of rows and tokens. One
    /// half after the other: so activations, sums and one weight just fit into sixteen registers.
    template <int kRows, int kTokens>
    [[gnu::always_inline]] static void multiply_add(const float* w,
                                                    std::ptrdiff_t w_stride,
                                                    const float* x,
                                                    std::ptrdiff_t x_stride,
                                                    Vec* sums) {
        multiply_add_half<kRows, kTokens, &Vec::lo>(w, w_stride, x, x_stride, sums);
        multiply_add_half<kRows, kTokens, &Vec::hi>(w + 8, w_stride, x + 8, x_stride, sums);
    }

    static Vec load_f16(const void* p) {
        const auto* words = static_cast<const __m128i*>(p);
        return {_mm256_cvtph_ps(_mm_loadu_si128(words)),
                _mm256_cvtph_ps(_mm_loadu_si128(words + 1))};
    }
    static void store_f16(void* p, Vec v) {
        auto* words = static_cast<__m128i*>(p);
        _mm_storeu_si128(words, _mm256_cvtps_ph(v.lo, _MM_FROUND_TO_NEAREST_INT));
        _mm_storeu_si128(words + 1, _mm256_cvtps_ph(v.hi, _MM_FROUND_TO_NEAREST_INT));
    }
    static Vec load_bf16(const void* p) {
        const auto* words = static_cast<const __m128i*>(p);
        return {from_bf16(_mm_loadu_si128(words)), from_bf16(_mm_loadu_si128(words + 1))};
    }
    static Vec from_i8(__m128i bytes) {
        return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)),
                _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(bytes, bytes)))};
    }

    /// Rounds to nearest, ties to even; beyond a byte: its limits. NaN becomes -128.
    static void store_i8(std::int8_t* p, Vec v) {
        const __m256i lo = _mm256_cvtps_epi32(v.lo);
        const __m256i hi = _mm256_cvtps_epi32(v.hi);
        const __m128i first =
            _mm_packs_epi32(_mm256_castsi256_si128(lo), _mm256_extracti128_si256(lo, 1));
        const __m128i second =
            _mm_packs_epi32(_mm256_castsi256_si128(hi), _mm256_extracti128_si256(hi, 1));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(first, second));
    }

    /// Sixteen bytes to low and high nibbles, each as scale · q + offset.
    static void nibbles(const std::uint8_t* p,
                        Vec low_scale,
                        Vec low_offset,
                        Vec high_scale,
                        Vec high_offset,
                        Vec& low,
                        Vec& high) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
        const __m128i mask = _mm_set1_epi8(0x0F);
        low = fma(from_i8(_mm_and_si128(bytes, mask)), low_scale, low_offset);
        high = fma(from_i8(_mm_and_si128(_mm_srli_epi16(bytes, 4), mask)), high_scale, high_offset);
    }

    /// 64 signed numbers of 6 bits, minus 32: a nibble of each of 64 bytes, and of each of 32 bytes
    /// two neighbouring bit pairs, the first for numbers 0..31. All from bit `shift` on.
    static void six_bits(const std::uint8_t* low, const std::uint8_t* high, int shift, __m128i* q) {
        const __m256i pairs = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(high));
        for (int half = 0; half < 2; ++half) {
            const __m256i bytes =
                _mm256_loadu_si256(reinterpret_cast<const __m256i*>(low + 32 * half));
            const __m256i nibbles =
                _mm256_and_si256(_mm256_srli_epi16(bytes, shift), _mm256_set1_epi8(0x0F));
            const __m256i pair = _mm256_and_si256(_mm256_srli_epi16(pairs, shift + 2 * half),
                                                  _mm256_set1_epi8(0x03));
            const __m256i all = _mm256_or_si256(nibbles, _mm256_slli_epi16(pair, 4));
            const __m256i centred = _mm256_sub_epi8(all, _mm256_set1_epi8(32));
            q[2 * half] = _mm256_castsi256_si128(centred);
            q[2 * half + 1] = _mm256_extracti128_si256(centred, 1);
        }
    }

    static Vec round(Vec v) {
        constexpr int kMode = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
        return {_mm256_round_ps(v.lo, kMode), _mm256_round_ps(v.hi, kMode)};
    }
    /// 2^n for whole n in [-126, 127].
    static Vec exp2_whole(Vec n) { return {exp2_half(n.lo), exp2_half(n.hi)}; }
    /// 0 where x < limit, else v.
    static Vec zero_below(Vec v, Vec x, float limit) {
        const __m256 bound = _mm256_set1_ps(limit);
        return {_mm256_andnot_ps(_mm256_cmp_ps(x.lo, bound, _CMP_LT_OQ), v.lo),
                _mm256_andnot_ps(_mm256_cmp_ps(x.hi, bound, _CMP_LT_OQ), v.hi)};
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
    static float greatest(Vec v) {
        const __m256 m = _mm256_max_ps(v.lo, v.hi);
        __m128 s = _mm_max_ps(_mm256_castps256_ps128(m), _mm256_extractf128_ps(m, 1));
        s = _mm_max_ps(s, _mm_movehl_ps(s, s));
        return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
    }

    // Integers: sixteen of 32 bits, or 32 of 16 bits in pairs. A line of packed weights is sixteen
    // rows times four bytes.
    struct Ints {
        __m256i lo;
        __m256i hi;
    };
    static Ints zero_ints() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
    static Ints load_line(const void* p) {
        const auto* halves = static_cast<const __m256i*>(p);
        return {_mm256_loadu_si256(halves), _mm256_loadu_si256(halves + 1)};
    }
    static void store_line(void* p, Ints v) {
        auto* halves = static_cast<__m256i*>(p);
        _mm256_storeu_si256(halves, v.lo);
        _mm256_storeu_si256(halves + 1, v.hi);
    }
    static Ints shift_right16(Ints v, int n) {
        return {_mm256_srli_epi16(v.lo, n), _mm256_srli_epi16(v.hi, n)};
    }
    static Ints shift_left16(Ints v, int n) {
        return {_mm256_slli_epi16(v.lo, n), _mm256_slli_epi16(v.hi, n)};
    }
    static Ints and8(Ints v, int mask) {
        const __m256i bits = _mm256_set1_epi8(static_cast<char>(mask));
        return {_mm256_and_si256(v.lo, bits), _mm256_and_si256(v.hi, bits)};
    }
    static Ints and16(Ints v, int mask) {
        const __m256i bits = _mm256_set1_epi16(static_cast<short>(mask));
        return {_mm256_and_si256(v.lo, bits), _mm256_and_si256(v.hi, bits)};
    }
    static Ints or_(Ints a, Ints b) {
        return {_mm256_or_si256(a.lo, b.lo), _mm256_or_si256(a.hi, b.hi)};
    }
    static Ints add32(Ints a, Ints b) {
        return {_mm256_add_epi32(a.lo, b.lo), _mm256_add_epi32(a.hi, b.hi)};
    }
    /// Of signed numbers.
    template <int kBits>
    static Ints shift_right32(Ints v) {
        return {_mm256_srai_epi32(v.lo, kBits), _mm256_srai_epi32(v.hi, kBits)};
    }
    static Ints sub8(Ints v, int n) {
        const __m256i numbers = _mm256_set1_epi8(static_cast<char>(n));
        return {_mm256_sub_epi8(v.lo, numbers), _mm256_sub_epi8(v.hi, numbers)};
    }
    /// n · 2^kShift, a whole number.
    template <int kShift>
    static Ints set1_shifted(std::int32_t n) {
        const __m256i all = _mm256_set1_epi32(kShift < 0 ? n >> (kShift < 0 ? -kShift : 0)
                                                         : n << (kShift < 0 ? 0 : kShift));
        return {all, all};
    }
    /// Sixteen pairs of 16 bits from numbers of 8, the first of each pair from a.
    static void store_pairs(std::int16_t* p, __m128i a, __m128i b) {
        store_line(p, {pairs(a, b), pairs(_mm_unpackhi_epi64(a, a), _mm_unpackhi_epi64(b, b))});
    }
    /// The NaN without other bits for every NaN: rounding carries nothing into its sign.
    static Vec plain_nan(Vec v) { return {plain_nan(v.lo), plain_nan(v.hi)}; }
    /// Sixteen pairs of numbers as nearest_bf16 (packed.hpp) has them, the first of each from a.
    static void store_bf16(std::uint16_t* p, Vec a, Vec b) {
        store_line(p, {bf16_pairs(a.lo, b.lo), bf16_pairs(a.hi, b.hi)});
    }
    /// sums + w[2i + 1] * x[1] + w[2i] * x[0], of bf16.
    static Vec add_bf16(Vec sums, Ints w, const std::uint16_t* x) {
        const __m256i pair = broadcast4(x);
        return {add_bf16(sums.lo, w.lo, pair), add_bf16(sums.hi, w.hi, pair)};
    }
    /// sums + w[2i] * x[0] + w[2i + 1] * x[1]
    template <int>
    static Ints add_dot2(Ints sums, Ints w, const std::int16_t* x) {
        int pair;
        __builtin_memcpy(&pair, x, sizeof(pair));
        return add_dot2(sums, w, _mm256_set1_epi32(pair));
    }
    /// How many lines of bytes of this size a step of add_dot4 takes: 16 bits hold their sums.
    template <int kGreatest>
    static constexpr int kDot4Lines = kGreatest <= 31   ? 4
                                      : kGreatest <= 63 ? 2
                                                        : 1;
    /// sums + bytes of kLines lines * x, four every kStep.
    template <int, int kLines, int kStep>
    static Ints add_dot4(Ints sums, const Ints* w, const std::int8_t* x) {
        const __m256i ones = _mm256_set1_epi16(1);
        if constexpr (kLines == 1) {
            // Pairs of products could exceed 16 bits: as 16-bit numbers then.
            const Ints even = and16(*w, 0x00FF);
            const Ints odd = shift_right16(*w, 8);
            const __m256i four = broadcast4(x);
            sums = add_dot2(sums, even, _mm256_srai_epi16(_mm256_slli_epi16(four, 8), 8));
            return add_dot2(sums, odd, _mm256_srai_epi16(four, 8));
        } else {
            Ints dots = maddubs(w[0], x);
#pragma GCC unroll 4
            for (int i = 1; i < kLines; ++i) dots = add_dots<1>(dots, w[i], x + i * kStep);
            return add_dot2(sums, dots, ones);
        }
    }
    // Dots of a group of columns are two sums of 16 bits.
    template <int>
    static Ints add_dots(Ints dots, Ints w, const std::int8_t* x) {
        const Ints more = maddubs(w, x);
        return add_now({_mm256_add_epi16(dots.lo, more.lo), _mm256_add_epi16(dots.hi, more.hi)});
    }
    template <bool>
    static void begin_dots(Ints& dots, std::int32_t start) {
        const __m256i half = _mm256_set1_epi16(static_cast<short>(start / 2));
        dots = {half, half};
    }
    /// all += dots * scales * shares, for one group of two.
    template <bool kSecond>
    static void end_dots(Ints dots, Ints scales, const std::int16_t* shares, Ints& all) {
        const __m256i share = _mm256_set1_epi16(shares[kSecond ? 0 : 1]);
        const Ints factors = {_mm256_mullo_epi16(twice<kSecond>(scales.lo), share),
                              _mm256_mullo_epi16(twice<kSecond>(scales.hi), share)};
        all.lo = _mm256_add_epi32(all.lo, _mm256_madd_epi16(dots.lo, factors.lo));
        all.hi = _mm256_add_epi32(all.hi, _mm256_madd_epi16(dots.hi, factors.hi));
    }
    static Vec to_float(Ints v) { return {_mm256_cvtepi32_ps(v.lo), _mm256_cvtepi32_ps(v.hi)}; }
    /// Whole numbers of 16 bits from a, then b; of every four the first and third, then the second
    /// and fourth.
    static void store_integers(std::int16_t* p, Vec a, Vec b) {
        auto* words = reinterpret_cast<__m256i*>(p);
        const __m256i order = _mm256_set_epi64x(
            0x0F0E0B0A0D0C0908, 0x0706030205040100, 0x0F0E0B0A0D0C0908, 0x0706030205040100);
        _mm256_storeu_si256(words, _mm256_shuffle_epi8(to_words(a), order));
        _mm256_storeu_si256(words + 1, _mm256_shuffle_epi8(to_words(b), order));
    }
    /// Numbers below 128 from a, then b, rounded to nearest, ties to even.
    static void store_integers(std::int8_t* p, Vec a, Vec b) {
        _mm256_storeu_si256(
            reinterpret_cast<__m256i*>(p),
            _mm256_permute4x64_epi64(_mm256_packs_epi16(to_words(a), to_words(b)), 0xD8));
    }
    static Vec abs(Vec v) {
        const __m256 sign = _mm256_set1_ps(-0.0f);
        return {_mm256_andnot_ps(sign, v.lo), _mm256_andnot_ps(sign, v.hi)};
    }
    static bool all_finite(Vec v) {
        const __m256 limit = _mm256_set1_ps(__FLT_MAX__);
        const Vec size = abs(v);
        const __m256 finite = _mm256_and_ps(_mm256_cmp_ps(size.lo, limit, _CMP_LE_OQ),
                                            _mm256_cmp_ps(size.hi, limit, _CMP_LE_OQ));
        return _mm256_movemask_ps(finite) == 0xFF;
    }
    /// c - a * b
    static Vec fnma(Vec a, Vec b, Vec c) {
        return {_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi)};
    }

  protected:
    /// Sums as they are: the compiler would keep many products in memory before it adds them.
    static Ints add_now(Ints sums) {
        __asm__("" : "+x"(sums.lo), "+x"(sums.hi));
        return sums;
    }
    static __m256i to_words(Vec v) {
        return _mm256_permute4x64_epi64(
            _mm256_packs_epi32(_mm256_cvtps_epi32(v.lo), _mm256_cvtps_epi32(v.hi)), 0xD8);
    }
    static Ints add_dot2(Ints sums, Ints w, __m256i pairs) {
        sums.lo = _mm256_add_epi32(sums.lo, _mm256_madd_epi16(w.lo, pairs));
        sums.hi = _mm256_add_epi32(sums.hi, _mm256_madd_epi16(w.hi, pairs));
        return add_now(sums);
    }
    static __m256i broadcast4(const void* p) {
        int four;
        __builtin_memcpy(&four, p, sizeof(four));
        return _mm256_set1_epi32(four);
    }
    /// Sums of neighbouring products of bytes, 16 bits.
    static Ints maddubs(Ints w, const std::int8_t* x) {
        const __m256i bytes = broadcast4(x);
        return {_mm256_maddubs_epi16(w.lo, bytes), _mm256_maddubs_epi16(w.hi, bytes)};
    }
    static __m256 add_bf16(__m256 sums, __m256i w, __m256i x) {
        const __m256 upper = _mm256_castsi256_ps(_mm256_set1_epi32(-0x10000));
        const auto first = [&](__m256i v) { return _mm256_and_ps(_mm256_castsi256_ps(v), upper); };
        const auto second = [](__m256i v) { return _mm256_castsi256_ps(_mm256_slli_epi32(v, 16)); };
        return _mm256_fmadd_ps(second(w), second(x), _mm256_fmadd_ps(first(w), first(x), sums));
    }
    static __m256 plain_nan(__m256 v) {
        const __m256 nan = _mm256_set1_ps(__builtin_nanf(""));
        return _mm256_blendv_ps(v, nan, _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    }
    static __m256i bf16_pairs(__m256 a, __m256 b) {
        const __m256i half = _mm256_set1_epi32(0x8000);
        const __m256i lower = _mm256_srli_epi32(_mm256_add_epi32(_mm256_castps_si256(a), half), 16);
        return _mm256_blend_epi16(lower, _mm256_add_epi32(_mm256_castps_si256(b), half), 0xAA);
    }
    /// Eight pairs of 16 bits from numbers of 8.
    static __m256i pairs(__m128i a, __m128i b) {
        return _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(a, b));
    }
    /// One number of every pair, in both places.
    template <bool kFirst>
    static __m256i twice(__m256i v) {
        const __m256i order =
            kFirst ? _mm256_set1_epi32(0x01000100) : _mm256_set1_epi32(0x03020302);
        const __m256i places = _mm256_set_epi32(
            0x0C0C0C0C, 0x08080808, 0x04040404, 0, 0x0C0C0C0C, 0x08080808, 0x04040404, 0);
        return _mm256_shuffle_epi8(v, _mm256_add_epi8(order, places));
    }
    template <int kRows, int kTokens, __m256 Vec::* kHalf>
    [[gnu::always_inline]] static void multiply_add_half(const float* w,
                                                         std::ptrdiff_t w_stride,
                                                         const float* x,
                                                         std::ptrdiff_t x_stride,
                                                         Vec* sums) {
        __m256 tokens[kTokens];
#pragma GCC unroll 8
        for (int t = 0; t < kTokens; ++t) {
            tokens[t] = _mm256_loadu_ps(x + t * x_stride);
            // Kept in a register: loading it again for every row is slower.
            __asm__("" : "+x"(tokens[t]));
        }
#pragma GCC unroll 8
        for (int r = 0; r < kRows; ++r) {
            const __m256 row = _mm256_loadu_ps(w + r * w_stride);
#pragma GCC unroll 8
            for (int t = 0; t < kTokens; ++t) {
                __m256& sum = sums[r * kTokens + t].*kHalf;
                sum = _mm256_fmadd_ps(row, tokens[t], sum);
            }
        }
    }
    static __m256 from_bf16(__m128i words) {
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(words), 16));
    }
    static __m256 exp2_half(__m256 n) {
        const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
        return _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
    }
    static __m128 fold(Vec v) {
        const __m256 half = _mm256_add_ps(v.lo, v.hi);
        return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    }
};

}  // namespace notso::ml::kernels
