// Least-squares fits of a group of weights to evenly spaced levels: the searches that the encoders
// share. Each tries a few step widths around the obvious one; for the levels that a width gives,
// the best scale (and offset) has a closed form. All inputs are finite and at most 65504 in
// magnitude.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "ml/quant/encode/lanes.hpp"
#include "ml/quant/half.hpp"

namespace notso::ml::quant::encode {

constexpr float kLargestF16 = 65504.0f;
/// Blocks whose largest magnitude is below this become zeros: the smallest f16 scale, 2^-24, has
/// nothing nearer to offer.
constexpr float kSmallestMagnitude = 0x1p-25f;

/// Step widths to try: level count + first, … in equal steps of `step`.
struct Search {
    float first;
    float step;
    int count;
};

/// w ≈ scale * q - min.
struct Affine {
    float scale = 0;
    float min = 0;
};

/// f16 of a scale; a positive one never becomes 0 or infinite.
inline std::uint16_t scale_to_f16(float scale) noexcept {
    const float magnitude = std::abs(scale);
    if (magnitude == 0) return 0;
    const std::uint16_t half = f32_to_f16(std::min(magnitude, kLargestF16));
    return static_cast<std::uint16_t>(std::max<std::uint16_t>(half, 1) |
                                      (scale < 0 ? 0x8000u : 0u));
}

/// Copies a group, limited to what f16 scales can express.
template <int n>
void take_group(const float* from, float* to) noexcept {
    for (int i = 0; i < n; i += kLanes) {
        store(to + i, smaller(larger(load(from + i), all(-kLargestF16)), all(kLargestF16)));
    }
}

template <int n>
float largest_magnitude(const float* x) noexcept {
    Lanes most = all(0);
    for (int i = 0; i < n; i += kLanes) most = larger(most, larger(load(x + i), -load(x + i)));
    return std::max(std::max(most[0], most[1]), std::max(most[2], most[3]));
}

/// The weight of largest magnitude, with its sign; the first one of equals.
template <int n>
float extreme(const float* x) noexcept {
    float found = 0;
    for (int i = 0; i < n; ++i)
        if (std::abs(x[i]) > std::abs(found)) found = x[i];
    return found;
}

/// How much an error of each weight counts: its magnitude plus the group's root mean square. Large
/// weights move the model's output more than small ones.
template <int n>
void importance(const float* x, float* out) noexcept {
    Lanes squares = all(0);
    for (int i = 0; i < n; i += kLanes) squares += load(x + i) * load(x + i);
    const Lanes rms = all(std::sqrt(sum(squares) / n));
    for (int i = 0; i < n; i += kLanes) store(out + i, rms + larger(load(x + i), -load(x + i)));
}

/// Levels -steps … steps - 1 times a scale of either sign. @return the scale; 0 for zeros.
template <int n>
float fit_symmetric(const float* x, const float* weight, float steps, Search search) noexcept {
    const float edge = extreme<n>(x);
    if (std::abs(edge) < kSmallestMagnitude) return 0;
    float best = -edge / steps;
    float best_gain = 0;  // what the fit takes off the sum of squares
    for (int k = 0; k < search.count; ++k) {
        const Lanes inverse =
            all(-(steps + search.first + search.step * static_cast<float>(k)) / edge);
        Lanes qx = all(0);
        Lanes qq = all(0);
        for (int i = 0; i < n; i += kLanes) {
            const Lanes v = load(x + i);
            const Lanes q = to_level(v * inverse, -steps, steps - 1);
            const Lanes wq = load(weight + i) * q;
            qx += wq * v;
            qq += wq * q;
        }
        const float sum_qx = sum(qx);
        const float sum_qq = sum(qq);
        if (!(sum_qq > 0) || !(sum_qx * sum_qx > best_gain * sum_qq)) continue;
        best = sum_qx / sum_qq;
        best_gain = best * sum_qx;
    }
    return best;
}

template <int n>
float symmetric_error(const float* x, const float* weight, float scale, float steps) noexcept {
    const Lanes inverse = all(scale != 0 ? 1 / scale : 0);
    Lanes error = all(0);
    for (int i = 0; i < n; i += kLanes) {
        const Lanes v = load(x + i);
        const Lanes off = v - scale * to_level(v * inverse, -steps, steps - 1);
        error += load(weight + i) * off * off;
    }
    return sum(error);
}

/// Writes the nearest levels, -steps … steps - 1, as q + steps. @cost O(n).
template <int n>
void symmetric_levels(const float* x, float scale, float steps, std::uint8_t* out) noexcept {
    const Lanes inverse = all(scale != 0 ? 1 / scale : 0);
    for (int i = 0; i < n; i += kLanes) {
        const Lanes q = to_level(load(x + i) * inverse, -steps, steps - 1) + steps;
        for (int j = 0; j < kLanes; ++j) out[i + j] = static_cast<std::uint8_t>(q[j]);
    }
}

/// The best scale and offset for given sums; offset is that of x - low.
struct AffineSums {
    Lanes q = all(0), qq = all(0), qz = all(0);
};

/// Levels 0 … top. `signed_min` allows a negative min (all weights far above 0).
template <int n, bool signed_min>
Affine fit_affine(const float* x, const float* weight, float top, Search search) noexcept {
    Lanes lows = all(0), highs = all(0);
    if (signed_min) lows = highs = all(x[0]);
    for (int i = 0; i < n; i += kLanes) {
        lows = smaller(lows, load(x + i));
        highs = larger(highs, load(x + i));
    }
    const float low = std::min(std::min(lows[0], lows[1]), std::min(lows[2], lows[3]));
    const float high = std::max(std::max(highs[0], highs[1]), std::max(highs[2], highs[3]));
    const float range = high - low;
    if (!(range >= kSmallestMagnitude)) return {0, -low};
    Lanes w_sum = all(0), z_sum = all(0), zz_sum = all(0);
    for (int i = 0; i < n; i += kLanes) {
        const Lanes w = load(weight + i);
        const Lanes z = load(x + i) - low;
        w_sum += w;
        z_sum += w * z;
        zz_sum += w * z * z;
    }
    const float sw = sum(w_sum), sz = sum(z_sum), szz = sum(zz_sum);
    Affine best{range / top, -low};
    float best_error = szz;  // of no levels at all
    for (int k = 0; k < search.count; ++k) {
        const Lanes inverse =
            all((top + search.first + search.step * static_cast<float>(k)) / range);
        Lanes q_sum = all(0), qq_sum = all(0), qz_sum = all(0);
        for (int i = 0; i < n; i += kLanes) {
            const Lanes z = load(x + i) - low;
            const Lanes q = to_level(z * inverse, 0, top);
            const Lanes wq = load(weight + i) * q;
            q_sum += wq;
            qq_sum += wq * q;
            qz_sum += wq * z;
        }
        const float sq = sum(q_sum), sqq = sum(qq_sum), sqz = sum(qz_sum);
        const float determinant = sw * sqq - sq * sq;
        if (!(determinant > 0)) continue;
        float scale = (sw * sqz - sq * sz) / determinant;
        float offset = (sqq * sz - sq * sqz) / determinant;
        float min = -(low + offset);
        if (!signed_min && min < 0) {  // the offset is held at x = 0
            offset = -low;
            min = 0;
            scale = (sqz - offset * sq) / sqq;
        }
        const float error = szz - 2 * (scale * sqz + offset * sz) + scale * scale * sqq +
                            2 * scale * offset * sq + offset * offset * sw;
        if (!(scale > 0) || !(error < best_error)) continue;
        best_error = error;
        best = {scale, min};
    }
    return best;
}

template <int n>
float affine_error(const float* x, const float* weight, Affine fit, float top) noexcept {
    const Lanes inverse = all(fit.scale > 0 ? 1 / fit.scale : 0);
    Lanes error = all(0);
    for (int i = 0; i < n; i += kLanes) {
        const Lanes z = load(x + i) + fit.min;
        const Lanes off = z - fit.scale * to_level(z * inverse, 0, top);
        error += load(weight + i) * off * off;
    }
    return sum(error);
}

template <int n>
void affine_levels(const float* x, Affine fit, float top, std::uint8_t* out) noexcept {
    const Lanes inverse = all(fit.scale > 0 ? 1 / fit.scale : 0);
    for (int i = 0; i < n; i += kLanes) {
        const Lanes q = to_level((load(x + i) + fit.min) * inverse, 0, top);
        for (int j = 0; j < kLanes; ++j) out[i + j] = static_cast<std::uint8_t>(q[j]);
    }
}

}  // namespace notso::ml::quant::encode
