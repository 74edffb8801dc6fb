// Squares of numbers, turned. Only for files compiled with the flags of this folder.
#pragma once

#include <immintrin.h>

namespace notso::ml::kernels::avx2 {

/// Eight rows of eight numbers become columns.
inline void transpose8(__m256* rows) {
    __m256 fours[8];
    for (int i = 0; i < 8; i += 4) {
        const __m256 a = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
        const __m256 b = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
        const __m256 c = _mm256_unpacklo_ps(rows[i + 2], rows[i + 3]);
        const __m256 d = _mm256_unpackhi_ps(rows[i + 2], rows[i + 3]);
        fours[i] = _mm256_shuffle_ps(a, c, 0x44);
        fours[i + 1] = _mm256_shuffle_ps(a, c, 0xEE);
        fours[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
        fours[i + 3] = _mm256_shuffle_ps(b, d, 0xEE);
    }
    for (int i = 0; i < 4; ++i) {
        rows[i] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
        rows[i + 4] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
    }
}

}  // namespace notso::ml::kernels::avx2
