// The most bytes that an instruction set multiplies. Only for files compiled for one.
#pragma once

#include <cstdint>

namespace notso::ml::kernels {

/// Calls sums = add(sums, ones) for as many independent sums as hide its latency.
/// @return Multiply-adds, one for each byte of Ints and call.
template <class Ints, class Add>
[[gnu::always_inline]] inline std::int64_t multiply_ones(std::int64_t n_steps,
                                                         Ints ones,
                                                         const Add& add) {
    constexpr int kSums = 12;
    Ints sums[kSums];
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = Ints{};
    for (std::int64_t step = 0; step < n_steps; ++step) {
#pragma GCC unroll 12
        for (int i = 0; i < kSums; ++i) {
            __asm__ volatile("" : "+v"(ones));  // or a product would be made once
            sums[i] = add(sums[i], ones);
            __asm__ volatile("" : "+v"(sums[i]));
        }
    }
    return n_steps * kSums * static_cast<std::int64_t>(sizeof(Ints));
}

}  // namespace notso::ml::kernels
