// Weights as operands of tiles: the whole numbers of packed blocks (../simd/packed_blocks.hpp) as
// bf16, which holds them exactly, or scaled and rounded.
#pragma once

#include "ml/kernels/avx512/simd.hpp"
#include "ml/kernels/simd/packed_blocks.hpp"

namespace notso::ml::kernels {

/// The upper half of an f32; of whole numbers up to 256 nothing is lost.
constexpr std::uint16_t bf16_of(float value) {
    return static_cast<std::uint16_t>(__builtin_bit_cast(std::uint32_t, value) >> 16);
}

/// What a packed type's numbers, 0…kGreatest, are as bf16 without their offset. `kSize` entries.
template <class P, int kSize>
struct WholeTable {
    alignas(64) std::uint16_t values[kSize];
    constexpr WholeTable() : values() {
        for (int i = 0; i < kSize; ++i) values[i] = bf16_of(static_cast<float>(i - P::kOffset));
    }
};

/// Makes operands of lines of P::bytes: sixteen rows times four columns become two lines, of the
/// first and third column and of the second and fourth, as tokens have them.
template <class P>
class WholeLines {
  public:
    [[gnu::always_inline]] void make(__m512i bytes, __m512i* lines) const {
        if constexpr (P::kGreatest < 32) {
            lines[0] = _mm512_permutexvar_epi16(bytes, low_);
            lines[1] = _mm512_permutexvar_epi16(_mm512_srli_epi16(bytes, 8), low_);
        } else if constexpr (P::kGreatest < 64) {
            lines[0] = _mm512_permutex2var_epi16(low_, bytes, high_);
            lines[1] = _mm512_permutex2var_epi16(low_, _mm512_srli_epi16(bytes, 8), high_);
        } else {
            lines[0] = pairs(bytes);
            lines[1] = pairs(_mm512_srli_epi16(bytes, 8));
        }
    }

  private:
    static constexpr WholeTable<P, 64> kTable{};

    /// The first and third byte of every four, by arithmetic.
    static __m512i pairs(__m512i bytes) {
        const __m512i byte = _mm512_set1_epi32(0xFF);
        const __m512i offset = _mm512_set1_epi32(P::kOffset);
        const __m512i first = _mm512_sub_epi32(_mm512_and_si512(bytes, byte), offset);
        const __m512i third =
            _mm512_sub_epi32(_mm512_and_si512(_mm512_srli_epi32(bytes, 16), byte), offset);
        const __m512i low = _mm512_srli_epi32(_mm512_castps_si512(_mm512_cvtepi32_ps(first)), 16);
        return _mm512_mask_blend_epi16(
            0xAAAAAAAA, low, _mm512_castps_si512(_mm512_cvtepi32_ps(third)));
    }

    __m512i low_ = _mm512_load_si512(kTable.values);
    __m512i high_ = _mm512_load_si512(kTable.values + 32);
};

/// The same of weights as they are, scale · number + least of each row, rounded to the nearest
/// bf16; the one further from zero where there are two.
template <class P>
struct ScaledLines {
    __m512 scale;
    __m512 least;

    [[gnu::always_inline]] void make(__m512i bytes, __m512i* lines) const {
        lines[0] = pairs(number<0>(bytes), number<16>(bytes));
        lines[1] = pairs(number<8>(bytes), number<24>(bytes));
    }

  private:
    template <int kShift>
    [[gnu::always_inline]] __m512i number(__m512i bytes) const {
        const __m512i moved = kShift == 0 ? bytes : _mm512_srli_epi32(bytes, kShift);
        __m512 whole;
        if constexpr (P::kGreatest == 15) {  // by its low four bits
            whole = _mm512_permutexvar_ps(
                moved, _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
        } else {
            whole = _mm512_cvtepi32_ps(_mm512_and_si512(moved, _mm512_set1_epi32(0xFF)));
        }
        const __m512 weight = _mm512_fmadd_ps(whole, scale, least);
        return _mm512_add_epi32(_mm512_castps_si512(weight), _mm512_set1_epi32(0x8000));
    }
    [[gnu::always_inline]] static __m512i pairs(__m512i first, __m512i second) {
        return _mm512_mask_blend_epi16(0xAAAAAAAA, _mm512_srli_epi32(first, 16), second);
    }
};

/// Operands of steps kFirst to kLast - 1 of a run of 32 columns (P::bytes), made by WholeLines or
/// ScaledLines. @param out  Lines of the run.
template <class P, int kPhase, int kFirst, int kLast, class Maker>
[[gnu::always_inline]] inline void make_lines(const Maker& maker,
                                              const std::byte* tile,
                                              int group,
                                              std::byte (*out)[kLineBytes]) {
#pragma GCC unroll 8
    for (int step = kFirst; step < kLast; ++step) {
        __m512i made[2];
        maker.make(P::template bytes<kPhase>(tile, group, step), made);
        Avx512::store_line(out[2 * step], made[0]);
        Avx512::store_line(out[2 * step + 1], made[1]);
    }
}

}  // namespace notso::ml::kernels
