#include "ml/sampling/scan.hpp"

#include <cstdint>
#include <cstring>
#include <limits>

namespace notso::ml {
namespace {

constexpr std::size_t kLanes = 4;  // every x86-64 has these
constexpr std::size_t kVecs = 4;   // so many at a time hide how long an operation takes
constexpr std::size_t kStep = kVecs * kLanes;
constexpr std::size_t kBlock = 1024;  // logits whose greatest is found before they are looked at
constexpr float kNever = -std::numeric_limits<float>::infinity();

using Floats = float __attribute__((vector_size(kLanes * sizeof(float))));
using Ints = std::int32_t __attribute__((vector_size(kLanes * sizeof(std::int32_t))));

Floats load(const float* from) noexcept {
    Floats v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

/// Calls with the first of each sixteen logits and the place of four among them; the last ones are
/// followed by -inf.
template <class Visit>
void visit(std::span<const float> logits, const Visit& each) noexcept {
    std::size_t i = 0;
    for (; i + kStep <= logits.size(); i += kStep)
        for (std::size_t v = 0; v < kVecs; ++v) each(v, load(&logits[i + v * kLanes]));
    if (i == logits.size()) return;
    float rest[kStep];
    for (std::size_t lane = 0; lane < kStep; ++lane)
        rest[lane] = i + lane < logits.size() ? logits[i + lane] : kNever;
    for (std::size_t v = 0; v < kVecs; ++v) each(v, load(&rest[v * kLanes]));
}

float highest_of(std::span<const float> logits) noexcept {
    Floats best[kVecs];
    for (Floats& one : best) one = Floats{} + kNever;
    visit(logits, [&](std::size_t v, Floats x) { best[v] = x > best[v] ? x : best[v]; });
    float value = kNever;
    for (const Floats& one : best)
        for (std::size_t lane = 0; lane < kLanes; ++lane)
            if (one[lane] > value) value = one[lane];
    return value;
}

/// e^x for x ≤ 0; 0 below −87 and for NaN. x = n ln 2 + r, |r| ≤ ln 2 / 2, and six terms of the
/// series of e^r.
Floats exp_of(Floats x) noexcept {
    constexpr float kLog2E = 1.44269504F;
    constexpr float kLn2High = 0.693359375F;
    constexpr float kLn2Low = -2.12194440e-4F;
    constexpr float kRound = 0x1.8p23F;  // adding and subtracting it rounds to an integer
    constexpr int kMantissaBits = 23;
    const Ints counts = x >= Floats{} - 87.0F;  // false for NaN
    x = counts ? x : Floats{};
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
    return counts ? result : Floats{};
}

}  // namespace

Highest find_highest(std::span<const float> logits) noexcept {
    std::size_t best_block = 0;
    float best = kNever;
    for (std::size_t first = 0; first < logits.size(); first += kBlock) {
        const std::size_t n = logits.size() - first < kBlock ? logits.size() - first : kBlock;
        const float highest = highest_of(logits.subspan(first, n));
        if (!(highest > best)) continue;
        best = highest;
        best_block = first;
    }
    if (best == kNever) return {0, kNever};
    std::size_t i = best_block;
    while (logits[i] != best) ++i;
    return {i, best};
}

double sum_of_exp(std::span<const float> logits, float highest) noexcept {
    double total = 0;
    for (std::size_t first = 0; first < logits.size(); first += kBlock) {
        const std::size_t n = logits.size() - first < kBlock ? logits.size() - first : kBlock;
        const std::span<const float> block = logits.subspan(first, n);
        Floats sums[kVecs] = {};
        visit(block, [&](std::size_t v, Floats x) { sums[v] += exp_of(x - highest); });
        for (const Floats& one : sums)
            for (std::size_t lane = 0; lane < kLanes; ++lane)
                total += static_cast<double>(one[lane]);
    }
    return total;
}

}  // namespace notso::ml
