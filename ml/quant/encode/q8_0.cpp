// Q8_0 from f32 weights: the scale comes from the largest magnitude; 254 steps leave nothing to
// search.
#include "ml/quant/q8_0.hpp"

#include "ml/quant/encode/encoders.hpp"
#include "ml/quant/encode/fit.hpp"

namespace notso::ml::quant {
namespace {

using namespace encode;

constexpr int kBlock = 32;
constexpr float kTop = 127;

/// The f16 scale next to largest / 127 with which no weight is cut by more than half a step.
std::uint16_t scale_for(float largest) noexcept {
    if (largest < kSmallestMagnitude) return 0;
    std::uint16_t d = scale_to_f16(largest / kTop);
    if (largest > (kTop + 0.5f) * f16_to_f32(d)) ++d;
    return d;
}

}  // namespace

void encode_q8_0(const float* row, std::byte* out, std::size_t n) noexcept {
    auto* blocks = reinterpret_cast<BlockQ8_0*>(out);
    for (std::size_t b = 0; b < n / kBlock; ++b) {
        float x[kBlock];
        take_group<kBlock>(row + b * kBlock, x);
        BlockQ8_0& block = blocks[b];
        block.d = scale_for(largest_magnitude<kBlock>(x));
        const float inverse = block.d != 0 ? 1 / f16_to_f32(block.d) : 0;
        for (int i = 0; i < kBlock; i += kLanes) {
            const Lanes q = to_level(load(x + i) * inverse, -kTop, kTop);
            for (int j = 0; j < kLanes; ++j) block.values[i + j] = static_cast<std::int8_t>(q[j]);
        }
    }
}

}  // namespace notso::ml::quant
