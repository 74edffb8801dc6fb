#include "ml/quant/encode/small_block.hpp"

#include <algorithm>

#include "ml/quant/encode/fit.hpp"

namespace notso::ml::quant::encode {
namespace {

constexpr int kBlock = 32;
constexpr Search kSymmetricSearch{-1.2f, 0.1f, 19};
constexpr Search kOffsetSearch{-0.8f, 0.1f, 17};
constexpr float kTopLevel = 31;

}  // namespace

std::uint16_t fit_symmetric_block(const float* weights, int steps, std::uint8_t* levels) noexcept {
    const auto top = static_cast<float>(steps);
    float x[kBlock];
    float weight[kBlock];
    take_group<kBlock>(weights, x);
    importance<kBlock>(x, weight);
    // The plain choice, the extreme weight at the edge, is kept where f16 rounding makes it better.
    const std::uint16_t plain = scale_to_f16(
        largest_magnitude<kBlock>(x) < kSmallestMagnitude ? 0 : -extreme<kBlock>(x) / top);
    const std::uint16_t fitted =
        scale_to_f16(fit_symmetric<kBlock>(x, weight, top, kSymmetricSearch));
    const bool keep_plain = symmetric_error<kBlock>(x, weight, f16_to_f32(plain), top) <=
                            symmetric_error<kBlock>(x, weight, f16_to_f32(fitted), top);
    const std::uint16_t d = keep_plain ? plain : fitted;
    symmetric_levels<kBlock>(x, f16_to_f32(d), top, levels);
    return d;
}

OffsetBlock fit_offset_block(const float* weights, std::uint8_t* levels) noexcept {
    float x[kBlock];
    float weight[kBlock];
    take_group<kBlock>(weights, x);
    importance<kBlock>(x, weight);
    const auto [low, high] = std::minmax_element(x, x + kBlock);
    const auto rounded = [](Affine fit) {
        return Affine{f16_to_f32(scale_to_f16(fit.scale)), f16_to_f32(f32_to_f16(fit.min))};
    };
    const Affine plain = rounded({(*high - *low) / kTopLevel, -*low});
    // Near the smallest f16 a scale that was rounded down cuts off the highest weights.
    const Affine wider{f16_to_f32(static_cast<std::uint16_t>(f32_to_f16(plain.scale) + 1)),
                       plain.min};
    Affine best = plain;
    for (const Affine tried :
         {wider, rounded(fit_affine<kBlock, true>(x, weight, kTopLevel, kOffsetSearch))}) {
        if (affine_error<kBlock>(x, weight, tried, kTopLevel) <
            affine_error<kBlock>(x, weight, best, kTopLevel))
            best = tried;
    }
    affine_levels<kBlock>(x, best, kTopLevel, levels);
    return {f32_to_f16(best.scale), f32_to_f16(-best.min)};
}

void store_five_bits(const std::uint8_t* levels,
                     std::uint8_t* fifths,
                     std::uint8_t* nibbles) noexcept {
    for (int byte = 0; byte < 4; ++byte) {
        int bits = 0;
        for (int i = 0; i < 8; ++i) bits |= (levels[8 * byte + i] >> 4) << i;
        fifths[byte] = static_cast<std::uint8_t>(bits);
    }
    for (int i = 0; i < 16; ++i)
        nibbles[i] = static_cast<std::uint8_t>((levels[i] & 0x0F) | ((levels[i + 16] & 0x0F) << 4));
}

}  // namespace notso::ml::quant::encode
