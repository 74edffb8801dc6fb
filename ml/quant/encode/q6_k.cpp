// Q6_K from f32 weights.
#include "ml/quant/q6_k.hpp"

#include <algorithm>
#include <cmath>

#include "ml/quant/encode/encoders.hpp"
#include "ml/quant/encode/fit.hpp"

namespace notso::ml::quant {
namespace {

using namespace encode;

constexpr int kGroups = 16;
constexpr int kGroup = 16;
constexpr float kSteps = 32;  // levels -32 … 31
constexpr Search kSearch{-0.9f, 0.1f, 19};

struct Work {
    float x[256];
    float weight[256];
};

float scale_of(const BlockQ6_K& block, int group) noexcept {
    return f16_to_f32(block.d) * static_cast<float>(block.scales[group]);
}

float group_error(const Work& work, int group, float scale) noexcept {
    return symmetric_error<kGroup>(
        work.x + kGroup * group, work.weight + kGroup * group, scale, kSteps);
}

void first_fit(Work& work, BlockQ6_K& block) noexcept {
    float fits[kGroups];
    for (int group = 0; group < kGroups; ++group) {
        const int at = kGroup * group;
        importance<kGroup>(work.x + at, work.weight + at);
        fits[group] = fit_symmetric<kGroup>(work.x + at, work.weight + at, kSteps, kSearch);
    }
    // The widest scale becomes -128, whatever its sign.
    block.d = scale_to_f16(extreme<kGroups>(fits) / -128.0f);
    const float d = f16_to_f32(block.d);
    for (int group = 0; group < kGroups; ++group) {
        const float scale = d != 0 ? std::nearbyint(fits[group] / d) : 0.0f;
        block.scales[group] = static_cast<std::int8_t>(std::clamp(scale, -128.0f, 127.0f));
    }
}

/// Tries the neighbours of a group's scale. @return the group's error.
float settle_group(const Work& work, BlockQ6_K& block, int group) noexcept {
    const int scale = block.scales[group];
    const float d = f16_to_f32(block.d);
    float best = group_error(work, group, scale_of(block, group));
    for (const int tried : {scale - 1, scale + 1}) {
        if (tried < -128 || tried > 127) continue;
        const float error = group_error(work, group, d * static_cast<float>(tried));
        if (!(error < best)) continue;
        best = error;
        block.scales[group] = static_cast<std::int8_t>(tried);
    }
    return best;
}

/// The least-squares d for the levels that the block gives now.
std::uint16_t best_factor(const Work& work, const BlockQ6_K& block) noexcept {
    double ax = 0, aa = 0;
    for (int group = 0; group < kGroups; ++group) {
        const float scale = scale_of(block, group);
        const Lanes inverse = all(scale != 0 ? 1 / scale : 0);
        Lanes qx = all(0), qq = all(0);
        for (int i = kGroup * group; i < kGroup * (group + 1); i += kLanes) {
            const Lanes x = load(work.x + i);
            const Lanes q = to_level(x * inverse, -kSteps, kSteps - 1);
            const Lanes wq = load(work.weight + i) * q;
            qx += wq * x;
            qq += wq * q;
        }
        const double s = block.scales[group];
        ax += s * static_cast<double>(sum(qx));
        aa += s * s * static_cast<double>(sum(qq));
    }
    return aa > 0 ? scale_to_f16(static_cast<float>(ax / aa)) : block.d;
}

void store_levels(const Work& work, BlockQ6_K& block) noexcept {
    std::uint8_t levels[256];
    for (int group = 0; group < kGroups; ++group) {
        symmetric_levels<kGroup>(
            work.x + kGroup * group, scale_of(block, group), kSteps, levels + kGroup * group);
    }
    for (int i = 0; i < 64; ++i) {
        const int half = i / 32;
        const std::uint8_t* q = levels + 128 * half + i % 32;  // its quarters are 32 apart
        std::uint8_t* low = block.low + 64 * half + i % 32;
        low[0] = static_cast<std::uint8_t>((q[0] & 0x0F) | ((q[64] & 0x0F) << 4));
        low[32] = static_cast<std::uint8_t>((q[32] & 0x0F) | ((q[96] & 0x0F) << 4));
        block.high[i] = static_cast<std::uint8_t>((q[0] >> 4) | ((q[32] >> 4) << 2) |
                                                  ((q[64] >> 4) << 4) | ((q[96] >> 4) << 6));
    }
}

BlockQ6_K encode_block(const float* weights) noexcept {
    BlockQ6_K block{};
    Work work;
    take_group<256>(weights, work.x);
    if (largest_magnitude<256>(work.x) >= kSmallestMagnitude) {
        first_fit(work, block);
        float error = 0;
        for (int group = 0; group < kGroups; ++group) error += settle_group(work, block, group);
        BlockQ6_K better = block;
        better.d = best_factor(work, block);
        float better_error = 0;
        for (int group = 0; group < kGroups; ++group)
            better_error += group_error(work, group, scale_of(better, group));
        if (better_error < error) block = better;
    }
    store_levels(work, block);
    return block;
}

}  // namespace

void encode_q6_k(const float* row, std::byte* out, std::size_t n) noexcept {
    auto* blocks = reinterpret_cast<BlockQ6_K*>(out);
    for (std::size_t b = 0; b < n / BlockQ6_K::kElements; ++b)
        blocks[b] = encode_block(row + b * BlockQ6_K::kElements);
}

}  // namespace notso::ml::quant
