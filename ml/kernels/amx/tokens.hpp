// Tokens as operands of tiles: a row of 32 columns as bf16, in the order that WholeLines gives
// weights. Exact tokens are the integers of every instruction set (../packed.hpp), as two digits:
// a multiple of 256 and the rest, each of which bf16 holds exactly. Fast ones are their bf16.
#pragma once

#include "ml/kernels/avx512/simd.hpp"
#include "ml/kernels/simd/packed_tokens.hpp"

namespace notso::ml::kernels {

/// How a product of tiles keeps tokens in QuantizedTokens::q: of each tile of tokens and each 32
/// columns, a row of every token with the first digit, then those with the second.
template <Precision kPrecision>
struct TileTokens {
    static constexpr int kDigits = kPrecision == Precision::kExact ? 2 : 1;
    static constexpr std::ptrdiff_t kRowBytes = kTokenGroup * sizeof(std::uint16_t);

    /// Bytes before the rows of 32 columns of a tile, of n_tokens in all.
    static std::size_t offset(TokenTile tile, std::int32_t n_tokens, std::int32_t col) {
        return token_offset(tile, n_tokens, col).q * (kDigits * sizeof(std::uint16_t));
    }
};

/// Places of the upper halves of 16 numbers and of 16 more: of every four the first and third,
/// then the second and fourth.
inline __m512i upper_halves(__m512 first, __m512 second) {
    alignas(64) static constexpr std::uint16_t kOrder[32] = {
        1,  5,  3,  7,  9,  13, 11, 15, 17, 21, 19, 23, 25, 29, 27, 31,
        33, 37, 35, 39, 41, 45, 43, 47, 49, 53, 51, 55, 57, 61, 59, 63};
    return _mm512_permutex2var_epi16(
        _mm512_castps_si512(first), _mm512_load_si512(kOrder), _mm512_castps_si512(second));
}

/// The digits of kTokenGroup integers. @param out  The second digits stand `step` bytes later.
inline void put_digits(__m512 a, __m512 b, std::byte* out, std::ptrdiff_t step) {
    const __m512i low_bits = _mm512_set1_epi32(0xFF);
    const __m512i first = _mm512_cvtps_epi32(a);
    const __m512i second = _mm512_cvtps_epi32(b);
    const __m512i first_rest = _mm512_and_si512(first, low_bits);
    const __m512i second_rest = _mm512_and_si512(second, low_bits);
    const auto digit = [](__m512i numbers, __m512i others) {
        return upper_halves(_mm512_cvtepi32_ps(numbers), _mm512_cvtepi32_ps(others));
    };
    _mm512_storeu_si512(
        out, digit(_mm512_sub_epi32(first, first_rest), _mm512_sub_epi32(second, second_rest)));
    _mm512_storeu_si512(out + step, digit(first_rest, second_rest));
}

/// One group of columns of an exact token, and its digits at q.
inline void put_exact_group(const float* x, const ColumnPlace<std::int16_t>& out, std::byte* q) {
    using S = Avx512;
    const float greatest = group_magnitude<S>(x);
    const bool counts = greatest >= kLeastMagnitude;  // false for NaN
    const auto factor = S::set1(counts ? kGreatestWord / greatest : 0.0f);
    const auto a = counts ? S::round(S::mul(S::load(x), factor)) : S::zero();
    const auto b = counts ? S::round(S::mul(S::load(x + 16), factor)) : S::zero();
    put_digits(a, b, q, out.step * TileTokens<Precision::kExact>::kRowBytes);
    alignas(32) std::int16_t integers[kTokenGroup];
    S::store_integers(integers, a, b);
    const float scale = counts ? greatest / kGreatestWord : greatest != greatest ? greatest : 0;
    put_sums<Precision::kExact>(HalfSums(integers), scale, 0, out);
}

/// kernels::QuantizeToken
template <Precision kPrecision>
void put_tile_token(const float* x, std::int32_t n, const TokenPlace& out) noexcept {
    const TokenTile tile = tile_of_token(out.token, out.n_tokens, out.tiles);
    const std::ptrdiff_t row = (out.token - tile.first) * TileTokens<kPrecision>::kRowBytes;
    for (std::int32_t col = out.col; col < out.col + n; col += kTokenGroup, x += kTokenGroup) {
        std::byte* q = static_cast<std::byte*>(out.q) + row +
                       TileTokens<kPrecision>::offset(tile, out.n_tokens, col);
        const ColumnPlace<std::int16_t> place(out, col);
        if constexpr (kPrecision == Precision::kExact) {
            put_exact_group(x, place, q);
        } else {
            const __m512 a = Avx512::round_to_bf16(_mm512_loadu_ps(x));
            const __m512 b = Avx512::round_to_bf16(_mm512_loadu_ps(x + 16));
            _mm512_storeu_si512(q, upper_halves(a, b));
            *place.sums = Avx512::sum(_mm512_add_ps(a, b));
        }
    }
}

}  // namespace notso::ml::kernels
