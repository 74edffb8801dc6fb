#include "ml/sampling/scan.hpp"

#include <cstdint>
#include <cstring>
#include <limits>

namespace notso::ml {
namespace {

constexpr std::size_t kLanes = 16;
constexpr std::size_t kBlock = 1024;  // logits whose greatest is found before they are looked at
constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr float kGreatest = std::numeric_limits<float>::max();

using Floats = float __attribute__((vector_size(kLanes * sizeof(float))));
using Ints = std::int32_t __attribute__((vector_size(kLanes * sizeof(std::int32_t))));

// Vectors go by reference: how they are passed depends on the processor that is compiled for.

/// Calls each(x, i) with sixteen logits from number i on; the last ones are followed by -inf.
template <class Visit>
[[gnu::always_inline]] inline void visit(std::span<const float> logits,
                                         const Visit& each) noexcept {
    std::size_t i = 0;
    Floats x;
    for (; i + kLanes <= logits.size(); i += kLanes) {
        std::memcpy(&x, &logits[i], sizeof x);
        each(x, i);
    }
    if (i == logits.size()) return;
    x = Floats{} + kNever;
    std::memcpy(&x, &logits[i], (logits.size() - i) * sizeof(float));
    each(x, i);
}

[[gnu::always_inline]] inline std::span<const float> block_at(std::span<const float> logits,
                                                              std::size_t first) noexcept {
    return logits.subspan(first, logits.size() - first < kBlock ? logits.size() - first : kBlock);
}

[[gnu::always_inline]] inline bool any(const Ints& lanes) noexcept {
    std::uint64_t pairs[kLanes / 2];
    std::memcpy(pairs, &lanes, sizeof lanes);
    std::uint64_t all = 0;
    for (const std::uint64_t pair : pairs) all |= pair;
    return all != 0;
}

[[gnu::always_inline]] inline float highest_of(std::span<const float> logits) noexcept {
    Floats best = Floats{} + kNever;
    visit(logits, [&](const Floats& x, std::size_t) __attribute__((always_inline)) {
        best = x > best ? x : best;
    });
    float value = kNever;
    for (std::size_t lane = 0; lane < kLanes; ++lane)
        if (best[lane] > value) value = best[lane];
    return value;
}

/// sum += e^x for x ≤ 0; 0 below −87 and for NaN. x = n ln 2 + r, |r| ≤ ln 2 / 2, and six terms of
/// the series of e^r.
[[gnu::always_inline]] inline void add_exp_of(const Floats& from, Floats& sum) noexcept {
    constexpr float kLog2E = 1.44269504F;
    constexpr float kLn2High = 0.693359375F;
    constexpr float kLn2Low = -2.12194440e-4F;
    constexpr float kRound = 0x1.8p23F;  // adding and subtracting it rounds to an integer
    constexpr int kMantissaBits = 23;
    const Ints counts = from >= Floats{} - 87.0F;  // false for NaN
    const Floats x = counts ? from : Floats{};
    const Floats n = (x * kLog2E + kRound) - kRound;
    const Floats r = (x - n * kLn2High) - n * kLn2Low;
    Floats series = r * (1.0F / 720) + 1.0F / 120;
    series = series * r + 1.0F / 24;
    series = series * r + 1.0F / 6;
    series = series * r + 0.5F;
    series = series * r + 1.0F;
    series = series * r + 1.0F;
    const Ints power = (__builtin_convertvector(n, Ints) + 127) << kMantissaBits;
    Floats scale;
    std::memcpy(&scale, &power, sizeof scale);
    const Floats result = series * scale;
    sum += counts ? result : Floats{};
}

// A body is compiled for every width of registers, and the widest that this processor has is used.
// It is inlined, and nothing in it is fused (see CMakeLists.txt). Not target_clones: the loader
// would choose before ThreadSanitizer is ready.

template <class Body>
[[gnu::target("avx512f")]] auto run_avx512(const Body& body) noexcept {
    return body();
}

template <class Body>
[[gnu::target("avx2")]] auto run_avx2(const Body& body) noexcept {
    return body();
}

template <class Body>
auto run_widest(const Body& body) noexcept {
    static const bool has_avx512 = __builtin_cpu_supports("avx512f") != 0;
    static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
    if (has_avx512) return run_avx512(body);
    if (has_avx2) return run_avx2(body);
    return body();
}

}  // namespace

Highest find_highest(std::span<const float> logits) noexcept {
    return run_widest([&]() __attribute__((always_inline)) -> Highest {
        std::size_t best_block = 0;
        float best = kNever;
        for (std::size_t first = 0; first < logits.size(); first += kBlock) {
            const float highest = highest_of(block_at(logits, first));
            if (!(highest > best)) continue;
            best = highest;
            best_block = first;
        }
        if (best == kNever) return {0, kNever};
        std::size_t i = best_block;
        while (logits[i] != best) ++i;
        return {i, best};
    });
}

double sum_of_exp(std::span<const float> logits, float highest) noexcept {
    return run_widest([&]() __attribute__((always_inline)) {
        double total = 0;
        for (std::size_t first = 0; first < logits.size(); first += kBlock) {
            Floats sum = {};
            visit(block_at(logits, first),
                  [&](const Floats& x, std::size_t)
                      __attribute__((always_inline)) { add_exp_of(x - highest, sum); });
            for (std::size_t lane = 0; lane < kLanes; ++lane)
                total += static_cast<double>(sum[lane]);
        }
        return total;
    });
}

std::size_t find_at_least(std::span<const float> logits,
                          float least,
                          std::span<std::uint32_t> found) noexcept {
    return run_widest([&]() __attribute__((always_inline)) {
        std::size_t n = 0;
        visit(logits, [&](const Floats& x, std::size_t i) __attribute__((always_inline)) {
            if (!any(x >= least)) return;
            for (std::size_t lane = 0; lane < kLanes; ++lane) {
                if (x[lane] >= least && i + lane < logits.size())
                    found[n++] = static_cast<std::uint32_t>(i + lane);
            }
        });
        return n;
    });
}

void copy_usable(std::span<const float> logits, std::span<float> out) noexcept {
    run_widest([&]() __attribute__((always_inline)) {
        visit(logits, [&](const Floats& x, std::size_t i) __attribute__((always_inline)) {
            Floats usable = x < kGreatest ? x : Floats{} + kGreatest;
            usable = x == x ? usable : Floats{} + kNever;
            const std::size_t n = logits.size() - i < kLanes ? logits.size() - i : kLanes;
            std::memcpy(&out[i], &usable, n * sizeof(float));
        });
    });
}

}  // namespace notso::ml
