// The most that this instruction set can multiply: as many independent sums as hide the latency of
// vpdpbusd.
#include "ml/kernels/avxvnni/dots.hpp"
#include "ml/kernels/avxvnni/kernels.hpp"

namespace notso::ml::kernels::avxvnni {

std::int64_t multiply_bytes(std::int64_t n_steps) noexcept {
    constexpr int kSums = 12;
    const __m256i ones = _mm256_set1_epi8(1);
    __m256i sums[kSums];
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = _mm256_setzero_si256();
    for (std::int64_t step = 0; step < n_steps; ++step) {
#pragma GCC unroll 12
        for (int i = 0; i < kSums; ++i) {
            sums[i] = VexDots::add_bytes(sums[i], ones, ones);
            __asm__ volatile("" : "+x"(sums[i]));
        }
    }
    return n_steps * kSums * 32;
}

}  // namespace notso::ml::kernels::avxvnni
