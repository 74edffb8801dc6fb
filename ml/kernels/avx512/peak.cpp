// The most that this instruction set can multiply: as many independent sums as hide the latency of
// vpdpbusd.
#include <immintrin.h>

#include "ml/kernels/avx512/kernels.hpp"

namespace notso::ml::kernels::avx512 {

std::int64_t multiply_bytes(std::int64_t n_steps) noexcept {
    constexpr int kSums = 12;
    const __m512i ones = _mm512_set1_epi8(1);
    __m512i sums[kSums];
    for (__m512i& sum : sums) sum = _mm512_setzero_si512();
    for (std::int64_t step = 0; step < n_steps; ++step) {
#pragma GCC unroll 12
        for (int i = 0; i < kSums; ++i) {
            sums[i] = _mm512_dpbusd_epi32(sums[i], ones, ones);
            __asm__ volatile("" : "+v"(sums[i]));
        }
    }
    return n_steps * kSums * 64;
}

}  // namespace notso::ml::kernels::avx512
