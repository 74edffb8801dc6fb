// The instructions that AVX-VNNI adds to AVX2, in assembly: the compiler needs no flag for them.
// Only for files compiled with the flags of ../avx2.
#pragma once

#include <immintrin.h>

namespace notso::ml::kernels {

// add_bytes(sums, w, x)   sums + four products of bytes each, unsigned ones of w and signed ones of
// x add_words(sums, w, x)   sums + two products of 16-bit numbers each

struct VexDots {
    static __m256i add_bytes(__m256i sums, __m256i w, __m256i x) {
        __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sums) : "x"(w), "x"(x));
        return sums;
    }
    static __m256i add_words(__m256i sums, __m256i w, __m256i x) {
        __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sums) : "x"(w), "x"(x));
        return sums;
    }
};

/// The same instructions as AVX-512 has them, for tests on CPUs that lack the others.
struct EvexDots {
    static __m256i add_bytes(__m256i sums, __m256i w, __m256i x) {
        __asm__("%{evex%} vpdpbusd %2, %1, %0" : "+x"(sums) : "x"(w), "x"(x));
        return sums;
    }
    static __m256i add_words(__m256i sums, __m256i w, __m256i x) {
        __asm__("%{evex%} vpdpwssd %2, %1, %0" : "+x"(sums) : "x"(w), "x"(x));
        return sums;
    }
};

}  // namespace notso::ml::kernels
