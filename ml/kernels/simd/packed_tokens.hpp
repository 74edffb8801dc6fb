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

/// Integers and scales of one tile of kTokens tokens, from some column on.
template <Precision kPrecision, int kTokens>
struct TileColumns {
    using Element = typename TokenElement<kPrecision>::Type;
    const Element* q;
    const float* scales;
    const float* sums;

    static TileColumns of(const QuantizedTokens& x, std::int32_t first_token, std::int32_t n_cols) {
        const std::ptrdiff_t offset = std::ptrdiff_t{first_token} * n_cols;
        const std::ptrdiff_t group = offset / kTokenGroup;
        return {static_cast<const Element*>(x.q) + offset, x.scales + group, x.sums + group};
    }
    TileColumns at(std::ptrdiff_t col) const {
        const std::ptrdiff_t group = col / kTokenGroup * kTokens;
        return {q + col * kTokens, scales + group, sums + group};
    }
};

/// kernels::QuantizeToken
template <class S, Precision kPrecision>
void quantize_token(const float* x, std::int32_t n, const TokenPlace& out) noexcept {
    using Element = typename TokenElement<kPrecision>::Type;
    constexpr float kGreatest = kGreatestInteger[static_cast<std::size_t>(kPrecision)];
    auto* q = static_cast<Element*>(out.q);
    for (std::int32_t group = 0; group < n / kTokenGroup; ++group, x += kTokenGroup) {
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
        Element integers[kTokenGroup];
        S::store_integers(integers, a, b);
        for (int i = 0; i < kTokenGroup; i += 4, q += 4 * out.step)
            __builtin_memcpy(q, integers + i, 4 * sizeof(Element));
        // Sums of 32 integers of 16 bits are exact in f32.
        const float known = finite ? scale : __builtin_nanf("");
        out.scales[group * out.step] = known;
        out.sums[group * out.step] = known * S::sum(S::add(a, b));
    }
}

}  // namespace notso::ml::kernels
