// The most that this instruction set can read and multiply, by vpdpbusd.
#include "ml/kernels/simd/peak.hpp"

#include <immintrin.h>

#include "ml/kernels/avx512/kernels.hpp"

namespace notso::ml::kernels::avx512 {

std::int64_t multiply_bytes(std::int64_t n_steps) noexcept {
    return multiply_ones(n_steps, _mm512_set1_epi8(1), [](__m512i sums, __m512i ones) {
        return _mm512_dpbusd_epi32(sums, ones, ones);
    });
}

std::uint64_t read_memory(const std::byte* p, std::size_t n, std::size_t n_streams) noexcept {
    __m512i sum = _mm512_setzero_si512();
    for (std::size_t at = 0; at < n; at += 64) {
        for (std::size_t stream = 0; stream < n_streams; ++stream) {
            sum = _mm512_add_epi64(sum, _mm512_load_si512(p + stream * n + at));
        }
    }
    return static_cast<std::uint64_t>(_mm512_reduce_add_epi64(sum));
}

}  // namespace notso::ml::kernels::avx512
