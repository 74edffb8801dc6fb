// Tokens as integers, written once for every instruction set S: how they are made, and where the
// product reads them.
#pragma once

#include "ml/kernels/packed.hpp"

namespace notso::ml::kernels {

template <Precision>
struct TokenElement {
    using Type = std::int16_t;
};
template <>
struct TokenElement<Precision::kFast> {
    using Type = std::uint8_t;
};

/// Integers and scales of neighbouring tokens from some column on.
template <Precision kPrecision>
struct TokenColumns {
    using Element = typename TokenElement<kPrecision>::Type;
    const Element* q;
    const float* scales;
    const float* sums;
    std::ptrdiff_t stride;        ///< From one token to the next in q,
    std::ptrdiff_t group_stride;  ///< in scales and sums.

    static TokenColumns of(const QuantizedTokens& x) {
        const auto stride = static_cast<std::ptrdiff_t>(x.stride);
        return {static_cast<const Element*>(x.q), x.scales, x.sums, stride, stride / kTokenGroup};
    }
    TokenColumns at(std::ptrdiff_t token, std::ptrdiff_t col) const {
        return {q + token * stride + col,
                scales + token * group_stride + col / kTokenGroup,
                sums + token * group_stride + col / kTokenGroup,
                stride,
                group_stride};
    }
};

/// kernels::QuantizeToken
template <class S, Precision kPrecision>
void quantize_token(const float* x, std::int32_t n, const QuantizedTokens& out) noexcept {
    using Element = typename TokenElement<kPrecision>::Type;
    constexpr float kGreatest = kGreatestInteger[static_cast<std::size_t>(kPrecision)];
    auto* q = static_cast<Element*>(out.q);
    for (std::int32_t group = 0; group < n / kTokenGroup;
         ++group, x += kTokenGroup, q += kTokenGroup) {
        const auto first = S::load(x);
        const auto second = S::load(x + 16);
        const auto magnitudes = S::max(S::abs(first), S::abs(second));
        const float greatest = S::greatest(magnitudes);
        const bool finite = S::all_finite(first) && S::all_finite(second);
        const float inverse = finite && greatest >= kLeastMagnitude ? kGreatest / greatest : 0.0f;
        const float scale = greatest >= kLeastMagnitude ? greatest / kGreatest : 0.0f;
        const auto factor = S::set1(inverse);
        const auto a = finite ? S::round(S::mul(first, factor)) : S::zero();
        const auto b = finite ? S::round(S::mul(second, factor)) : S::zero();
        S::store_integers(q, a, b);
        // Sums of 32 integers of 16 bits are exact in f32.
        out.scales[group] = finite ? scale : __builtin_nanf("");
        out.sums[group] = out.scales[group] * S::sum(S::add(a, b));
    }
}

}  // namespace notso::ml::kernels
