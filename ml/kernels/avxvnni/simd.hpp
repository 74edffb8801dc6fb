// AVX2 with the dot products of AVX-VNNI, or of whatever Dots has (dots.hpp). The same bits as
// ../avx2/simd.hpp. Only for files compiled with the flags of that folder.
#pragma once

#include "ml/kernels/avx2/simd.hpp"
#include "ml/kernels/avxvnni/dots.hpp"
#include "ml/kernels/avxvnni/kernels.hpp"

namespace notso::ml::kernels {

template <class Dots>
struct AvxVnni : Avx2 {
    static constexpr TileLimits kTiles = avxvnni::kTiles;

    /// sums + w[2i] * x[0] + w[2i + 1] * x[1]
    template <int>
    static Ints add_dot2(Ints sums, Ints w, const std::int16_t* x) {
        const __m256i pair = broadcast4(x);
        return {Dots::add_words(sums.lo, w.lo, pair), Dots::add_words(sums.hi, w.hi, pair)};
    }
    /// How many lines a step of add_dot4 takes.
    template <int>
    static constexpr int kDot4Lines = 1;
    /// sums + bytes of a line * x[4]
    template <int kPanels, int, int>
    static Ints add_dot4(Ints sums, const Ints* w, const std::int8_t* x) {
        return add_dots<kPanels>(sums, *w, x);
    }
    template <int>
    static Ints add_dots(Ints dots, Ints w, const std::int8_t* x) {
        const __m256i four = broadcast4(x);
        return {Dots::add_bytes(dots.lo, w.lo, four), Dots::add_bytes(dots.hi, w.hi, four)};
    }
    // Dots of two neighbouring groups share 32 bits, as in ../avx512/simd.hpp.
    template <bool kSecond>
    static void begin_dots(Ints& dots, std::int32_t start) {
        const __m256i from = _mm256_set1_epi32(kSecond ? start + 0x8000 : start);
        if constexpr (kSecond) {
            dots = add32({_mm256_slli_epi32(dots.lo, 16), _mm256_slli_epi32(dots.hi, 16)},
                         {from, from});
        } else {
            dots = {from, from};
        }
    }
    /// all += dots * scales * shares, for both groups at the end of the second.
    template <bool kSecond>
    static void end_dots(Ints dots, Ints scales, const std::int16_t* shares, Ints& all) {
        if constexpr (!kSecond) return;
        const __m256i pair = broadcast4(shares);
        const __m256i sign = _mm256_set1_epi32(0x8000);
        const auto add = [&](__m256i sums, __m256i dot, __m256i scale) {
            return Dots::add_words(
                sums, _mm256_xor_si256(dot, sign), _mm256_mullo_epi16(scale, pair));
        };
        all = {add(all.lo, dots.lo, scales.lo), add(all.hi, dots.hi, scales.hi)};
    }
};

}  // namespace notso::ml::kernels
