// First every group alone, then the 6-bit numbers, then d and dmin for all groups together: each
// step knows what the one before could not.
#include "ml/quant/encode/super_block.hpp"

#include <algorithm>
#include <cmath>

#include "ml/quant/encode/fit.hpp"

namespace notso::ml::quant::encode {
namespace {

constexpr int kGroups = 8;
constexpr int kGroup = 32;
constexpr float kMostSixBits = 63;
constexpr int kRefits = 2;

struct Work {
    float x[256];
    float weight[256];
    float top;
    float error = 0;
};

Affine group_fit(const SuperBlock& block, int group) noexcept {
    return {f16_to_f32(block.d) * static_cast<float>(block.scales[group]),
            f16_to_f32(block.dmin) * static_cast<float>(block.mins[group])};
}

float group_error(const Work& work, int group, Affine fit) noexcept {
    return affine_error<kGroup>(
        work.x + kGroup * group, work.weight + kGroup * group, fit, work.top);
}

std::uint8_t six_bits(float value) noexcept {
    return static_cast<std::uint8_t>(std::clamp(std::nearbyint(value), 0.0f, kMostSixBits));
}

/// Tries the neighbours of a group's scale and min; rounding them apart is rarely best together.
float settle_group(const Work& work, SuperBlock& block, int group) noexcept {
    const int scale = block.scales[group];
    const int min = block.mins[group];
    float best = group_error(work, group, group_fit(block, group));
    SuperBlock tried = block;
    for (int s = std::max(0, scale - 1); s <= std::min(63, scale + 1); ++s) {
        for (int m = std::max(0, min - 1); m <= std::min(63, min + 1); ++m) {
            if (s == scale && m == min) continue;
            tried.scales[group] = static_cast<std::uint8_t>(s);
            tried.mins[group] = static_cast<std::uint8_t>(m);
            const float error = group_error(work, group, group_fit(tried, group));
            if (!(error < best)) continue;
            best = error;
            block.scales[group] = static_cast<std::uint8_t>(s);
            block.mins[group] = static_cast<std::uint8_t>(m);
        }
    }
    return best;
}

/// The least-squares d and dmin for the levels that the block gives now.
SuperBlock with_best_factors(const Work& work, const SuperBlock& block) noexcept {
    double aa = 0, ab = 0, bb = 0, ax = 0, bx = 0;  // x ≈ d * a - dmin * b
    for (int group = 0; group < kGroups; ++group) {
        const Affine fit = group_fit(block, group);
        const Lanes inverse = all(fit.scale > 0 ? 1 / fit.scale : 0);
        Lanes w_sum = all(0), wx = all(0), wq = all(0), wqq = all(0), wqx = all(0);
        for (int i = kGroup * group; i < kGroup * (group + 1); i += kLanes) {
            const Lanes x = load(work.x + i);
            const Lanes w = load(work.weight + i);
            const Lanes q = to_level((x + fit.min) * inverse, 0, work.top);
            w_sum += w;
            wx += w * x;
            wq += w * q;
            wqq += w * q * q;
            wqx += w * q * x;
        }
        const double s = block.scales[group];
        const double m = block.mins[group];
        aa += s * s * static_cast<double>(sum(wqq));
        ab += s * m * static_cast<double>(sum(wq));
        bb += m * m * static_cast<double>(sum(w_sum));
        ax += s * static_cast<double>(sum(wqx));
        bx += m * static_cast<double>(sum(wx));
    }
    SuperBlock out = block;
    const double determinant = aa * bb - ab * ab;
    if (determinant > 1e-9 * aa * bb) {
        const double d = (ax * bb - bx * ab) / determinant;
        const double dmin = (ax * ab - bx * aa) / determinant;
        if (d > 0 && dmin >= 0) {
            out.d = scale_to_f16(static_cast<float>(d));
            out.dmin = scale_to_f16(static_cast<float>(dmin));
        }
    } else if (aa > 0 && ax > 0) {
        out.d = scale_to_f16(static_cast<float>(ax / aa));
    }
    return out;
}

void first_fit(Work& work, SuperBlock& block) noexcept {
    const Search search = work.top > 15 ? Search{-0.5f, 0.1f, 16} : Search{-1.0f, 0.1f, 21};
    Affine fits[kGroups];
    float most_scale = 0;
    float most_min = 0;
    for (int group = 0; group < kGroups; ++group) {
        const int at = kGroup * group;
        importance<kGroup>(work.x + at, work.weight + at);
        fits[group] = fit_affine<kGroup, false>(work.x + at, work.weight + at, work.top, search);
        most_scale = std::max(most_scale, fits[group].scale);
        most_min = std::max(most_min, fits[group].min);
    }
    block.d = scale_to_f16(most_scale / kMostSixBits);
    block.dmin = scale_to_f16(most_min / kMostSixBits);
    const float d = f16_to_f32(block.d);
    const float dmin = f16_to_f32(block.dmin);
    for (int group = 0; group < kGroups; ++group) {
        block.scales[group] = d > 0 ? six_bits(fits[group].scale / d) : std::uint8_t{0};
        block.mins[group] = dmin > 0 ? six_bits(fits[group].min / dmin) : std::uint8_t{0};
    }
}

}  // namespace

SuperBlock fit_super_block(const float* weights, int top) noexcept {
    SuperBlock block;
    Work work;
    work.top = static_cast<float>(top);
    take_group<256>(weights, work.x);
    if (largest_magnitude<256>(work.x) < kSmallestMagnitude) return block;
    first_fit(work, block);
    for (int group = 0; group < kGroups; ++group) work.error += settle_group(work, block, group);
    for (int k = 0; k < kRefits; ++k) {
        const SuperBlock better = with_best_factors(work, block);
        float error = 0;
        for (int group = 0; group < kGroups; ++group)
            error += group_error(work, group, group_fit(better, group));
        if (!(error < work.error)) break;
        work.error = error;
        block = better;
    }
    for (int group = 0; group < kGroups; ++group) {
        affine_levels<kGroup>(work.x + kGroup * group,
                              group_fit(block, group),
                              work.top,
                              block.levels + kGroup * group);
    }
    return block;
}

void pack_scales(const SuperBlock& block, std::uint8_t* out) noexcept {
    for (int i = 0; i < 4; ++i) {
        // The upper two bits of the last four numbers ride on the first four.
        const int scale = block.scales[i + 4];
        const int min = block.mins[i + 4];
        out[i] = static_cast<std::uint8_t>(block.scales[i] | ((scale >> 4) << 6));
        out[i + 4] = static_cast<std::uint8_t>(block.mins[i] | ((min >> 4) << 6));
        out[i + 8] = static_cast<std::uint8_t>((scale & 0x0F) | ((min & 0x0F) << 4));
    }
}

void store_nibbles(const SuperBlock& block, std::uint8_t* out) noexcept {
    for (int i = 0; i < 128; ++i) {
        // 32 bytes hold two groups: the first in the low nibbles, the second in the high ones.
        const std::uint8_t* level = block.levels + 64 * (i / 32) + i % 32;
        out[i] = static_cast<std::uint8_t>((level[0] & 0x0F) | ((level[32] & 0x0F) << 4));
    }
}

}  // namespace notso::ml::quant::encode
