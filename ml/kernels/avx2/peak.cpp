// The most that this instruction set can multiply: pairs of bytes, added up in 16 bits.
#include <immintrin.h>

#include "ml/kernels/avx2/kernels.hpp"

namespace notso::ml::kernels::avx2 {

std::int64_t multiply_bytes(std::int64_t n_steps) noexcept {
    constexpr int kSums = 12;
    __m256i ones = _mm256_set1_epi8(1);
    __m256i sums[kSums];
    for (__m256i& sum : sums) sum = _mm256_setzero_si256();
    for (std::int64_t step = 0; step < n_steps; ++step) {
#pragma GCC unroll 12
        for (int i = 0; i < kSums; ++i) {
            __asm__ volatile("" : "+x"(ones));  // or the product would be made once
            sums[i] = _mm256_add_epi16(sums[i], _mm256_maddubs_epi16(ones, ones));
            __asm__ volatile("" : "+x"(sums[i]));
        }
    }
    return n_steps * kSums * 32;
}

}  // namespace notso::ml::kernels::avx2
