// The most that this instruction set can multiply, by vpdpbusd.
#include "ml/kernels/simd/peak.hpp"

#include "ml/kernels/avxvnni/dots.hpp"
#include "ml/kernels/avxvnni/kernels.hpp"

namespace notso::ml::kernels::avxvnni {

std::int64_t multiply_bytes(std::int64_t n_steps) noexcept {
    return multiply_ones(n_steps, _mm256_set1_epi8(1), [](__m256i sums, __m256i ones) {
        return VexDots::add_bytes(sums, ones, ones);
    });
}

}  // namespace notso::ml::kernels::avxvnni
