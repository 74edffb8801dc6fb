// The most that this instruction set can read and multiply: pairs of bytes, added up in 16 bits.
#include "ml/kernels/simd/peak.hpp"

#include <immintrin.h>

#include "ml/kernels/avx2/kernels.hpp"

namespace notso::ml::kernels::avx2 {

std::int64_t multiply_bytes(std::int64_t n_steps) noexcept {
    return multiply_ones(n_steps, _mm256_set1_epi8(1), [](__m256i sums, __m256i ones) {
        return _mm256_add_epi16(sums, _mm256_maddubs_epi16(ones, ones));
    });
}

std::uint64_t read_memory(const std::byte* p, std::size_t n, std::size_t n_streams) noexcept {
    __m256i sum = _mm256_setzero_si256();
    for (std::size_t at = 0; at < n; at += 64) {
        for (std::size_t stream = 0; stream < n_streams; ++stream) {
            const auto* line = reinterpret_cast<const __m256i*>(p + stream * n + at);
            sum = _mm256_add_epi64(sum, _mm256_load_si256(line));
            sum = _mm256_add_epi64(sum, _mm256_load_si256(line + 1));
        }
    }
    alignas(32) std::uint64_t lanes[4];
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), sum);
    return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

}  // namespace notso::ml::kernels::avx2
