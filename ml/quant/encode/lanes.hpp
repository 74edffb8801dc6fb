// Four floats at a time for the encoders' searches, in plain C++ of the baseline instruction set:
// the order of every sum is written down, so the same weights give the same bytes on every machine.
#pragma once

#include <cstdint>
#include <cstring>

namespace notso::ml::quant::encode {

using Lanes = float __attribute__((vector_size(16)));
constexpr int kLanes = 4;

inline Lanes load(const float* from) noexcept {
    Lanes lanes;
    std::memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

inline void store(float* to, Lanes lanes) noexcept { std::memcpy(to, &lanes, sizeof lanes); }

inline Lanes all(float value) noexcept { return Lanes{value, value, value, value}; }

inline float sum(Lanes lanes) noexcept { return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]); }

inline Lanes smaller(Lanes a, Lanes b) noexcept { return a < b ? a : b; }
inline Lanes larger(Lanes a, Lanes b) noexcept { return a > b ? a : b; }

/// Nearest whole number within [low, high], ties to even. low and high are whole, below 2^21.
inline Lanes to_level(Lanes value, float low, float high) noexcept {
    // Adding 1.5 * 2^23 leaves no room for a fraction: the FPU rounds.
    const Lanes shift = all(0x1.8p23f);
    const Lanes inside = smaller(larger(value, all(low)), all(high));
    return (inside + shift) - shift;
}

}  // namespace notso::ml::quant::encode
