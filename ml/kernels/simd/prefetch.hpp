// Asks for memory that is read later.
#pragma once

#include <cstddef>

namespace notso::ml::kernels {

/// kBytes from p on, whole lines. In assembly: GCC takes a function that only prefetches for one
/// without effect, and leaves its calls out. @tparam kIntoL2  Into the L2 cache alone.
template <std::size_t kBytes, bool kIntoL2 = false>
[[gnu::always_inline]] inline void prefetch(const std::byte* p) {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kBytes; i += 64) {
        if constexpr (kIntoL2)
            __asm__ volatile("prefetcht1 %0" : : "m"(p[i]));
        else
            __asm__ volatile("prefetcht0 %0" : : "m"(p[i]));
    }
}

}  // namespace notso::ml::kernels
