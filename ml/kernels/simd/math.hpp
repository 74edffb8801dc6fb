// Elementwise kernels, written once for every instruction set S with sixteen f32 lanes.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace notso::ml::kernels {

/// e^x within 2 ulp for x in [-87.3, 88.3]; 0 below, the largest of these above; NaN stays NaN.
template <class S>
[[gnu::always_inline]] inline typename S::Vec exp(typename S::Vec x) {
    // x = n · ln 2 + r with |r| ≤ ln 2 / 2; ln 2 in two parts, so that n · high is exact.
    constexpr float kLowest = -87.3f;
    const auto bounded = S::min(S::set1(88.3f), S::max(S::set1(kLowest), x));
    const auto n = S::round(S::mul(bounded, S::set1(1.44269504f)));
    auto r = S::fma(n, S::set1(-0.693145752f), bounded);
    r = S::fma(n, S::set1(-1.42860677e-6f), r);
    // Taylor terms up to r^7: the next is below 2^-28 of the result.
    auto p = S::set1(1.0f / 5040.0f);
    p = S::fma(p, r, S::set1(1.0f / 720.0f));
    p = S::fma(p, r, S::set1(1.0f / 120.0f));
    p = S::fma(p, r, S::set1(1.0f / 24.0f));
    p = S::fma(p, r, S::set1(1.0f / 6.0f));
    p = S::fma(p, r, S::set1(0.5f));
    p = S::fma(p, r, S::set1(1.0f));
    p = S::fma(p, r, S::set1(1.0f));
    return S::zero_below(S::mul(p, S::exp2_whole(n)), x, kLowest);
}

/// e^x of one number, with the same bits as in a vector.
template <class S>
float exp_scalar(float x) {
    alignas(64) float lanes[16];
    S::store(lanes, exp<S>(S::set1(x)));
    return lanes[0];
}

/// Calls f(vec of x, index) over [0, n) and returns a copy of the tail padded with `padding`.
template <class S>
typename S::Vec load_tail(const float* x, std::int32_t count, float padding) {
    alignas(64) float lanes[16];
    for (std::int32_t i = 0; i < 16; ++i) lanes[i] = i < count ? x[i] : padding;
    return S::load(lanes);
}

template <class S>
void store_tail(float* out, std::int32_t count, typename S::Vec v) {
    alignas(64) float lanes[16];
    S::store(lanes, v);
    for (std::int32_t i = 0; i < count; ++i) out[i] = lanes[i];
}

template <class S>
void rms_norm(const float* x, const float* weight, float* out, std::int32_t n, float eps) noexcept {
    const std::int32_t whole = n / 16 * 16;
    auto squares = S::zero();
    for (std::int32_t i = 0; i < whole; i += 16)
        squares = S::fma(S::load(x + i), S::load(x + i), squares);
    if (whole < n) {
        const auto tail = load_tail<S>(x + whole, n - whole, 0.0f);
        squares = S::fma(tail, tail, squares);
    }
    const float scale = 1.0f / __builtin_sqrtf(S::sum(squares) / static_cast<float>(n) + eps);
    for (std::int32_t i = 0; i < whole; i += 16) {
        S::store(out + i, S::mul(S::mul(S::load(x + i), S::set1(scale)), S::load(weight + i)));
    }
    for (std::int32_t i = whole; i < n; ++i) out[i] = x[i] * scale * weight[i];
}

template <class S>
void rope(float* head, const float* cos_sin, std::int32_t n_pairs) noexcept {
    const float* cosines = cos_sin;
    const float* sines = cos_sin + n_pairs;
    float* first = head;
    float* second = head + n_pairs;
    std::int32_t i = 0;
    for (; i + 16 <= n_pairs; i += 16) {
        const auto a = S::load(first + i);
        const auto b = S::load(second + i);
        const auto c = S::load(cosines + i);
        const auto s = S::load(sines + i);
        S::store(first + i, S::sub(S::mul(a, c), S::mul(b, s)));
        S::store(second + i, S::add(S::mul(a, s), S::mul(b, c)));
    }
    for (; i < n_pairs; ++i) {
        const float a = first[i];
        const float b = second[i];
        first[i] = a * cosines[i] - b * sines[i];
        second[i] = a * sines[i] + b * cosines[i];
    }
}

template <class S>
[[gnu::always_inline]] inline typename S::Vec silu_mul_vec(typename S::Vec gate,
                                                           typename S::Vec up) {
    const auto one = S::set1(1.0f);
    return S::mul(S::div(gate, S::add(one, exp<S>(S::sub(S::zero(), gate)))), up);
}

template <class S>
void silu_mul(float* gate, const float* up, std::int32_t n) noexcept {
    const std::int32_t whole = n / 16 * 16;
    for (std::int32_t i = 0; i < whole; i += 16) {
        S::store(gate + i, silu_mul_vec<S>(S::load(gate + i), S::load(up + i)));
    }
    if (whole == n) return;
    const auto tail = silu_mul_vec<S>(load_tail<S>(gate + whole, n - whole, 0.0f),
                                      load_tail<S>(up + whole, n - whole, 0.0f));
    store_tail<S>(gate + whole, n - whole, tail);
}

template <class S>
void softmax(float* x, std::int32_t n) noexcept {
    constexpr float kMasked = -__builtin_inff();
    const std::int32_t whole = n / 16 * 16;
    const bool has_tail = whole < n;
    auto greatest = has_tail ? load_tail<S>(x + whole, n - whole, kMasked) : S::set1(kMasked);
    for (std::int32_t i = 0; i < whole; i += 16) greatest = S::max(greatest, S::load(x + i));
    const auto max = S::set1(S::greatest(greatest));
    auto sum = S::zero();
    for (std::int32_t i = 0; i < whole; i += 16) {
        const auto p = exp<S>(S::sub(S::load(x + i), max));
        S::store(x + i, p);
        sum = S::add(sum, p);
    }
    if (has_tail) {
        const auto p = exp<S>(S::sub(load_tail<S>(x + whole, n - whole, kMasked), max));
        store_tail<S>(x + whole, n - whole, p);
        sum = S::add(sum, p);
    }
    const float scale = 1.0f / S::sum(sum);
    for (std::int32_t i = 0; i < whole; i += 16)
        S::store(x + i, S::mul(S::load(x + i), S::set1(scale)));
    for (std::int32_t i = whole; i < n; ++i) x[i] *= scale;
}

}  // namespace notso::ml::kernels
