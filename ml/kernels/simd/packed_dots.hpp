// What a product of packed weights multiplies, in each precision: lines of weights, sixteen rows
// times some columns, with numbers of tokens.
#pragma once

#include "ml/kernels/simd/packed_blocks.hpp"
#include "ml/kernels/simd/packed_tokens.hpp"

namespace notso::ml::kernels {

// Each kind of dot products D of an instruction set S and a packed type P takes kLines lines of
// kLineColumns columns in one step:
//   unpack<phase>(tile, group, step, lines)  as P::bytes, but with steps of this length
//   add<tokens>(sums, lines, q)              sums + lines · q of one token of a tile; q stands at
//   the step's first four columns, the next four come 4 · tokens later
// With kHasStarts, sums begin at -kByteOffset times the weights, which takes the offset out again.

template <class S, class P>
struct ExactDots {
    using Ints = typename S::Ints;
    static constexpr Precision kPrecision = Precision::kExact;
    static constexpr int kLineColumns = 2;
    static constexpr int kLines = 2;
    static constexpr bool kHasStarts = false;
    template <int kPhase>
    [[gnu::always_inline]] static void unpack(const std::byte* tile,
                                              int group,
                                              int step,
                                              Ints* lines) {
        const Ints bytes = P::template bytes<kPhase>(tile, group, step);
        lines[0] = S::template even_bytes<P::kSigned>(bytes);
        lines[1] = S::template odd_bytes<P::kSigned>(bytes);
    }
    template <int>
    [[gnu::always_inline]] static Ints add(Ints sums, const Ints* lines, const std::int16_t* q) {
        return S::add_dot2(S::add_dot2(sums, lines[0], q), lines[1], q + 2);
    }
};

template <class S, class P>
struct FastDots {
    using Ints = typename S::Ints;
    static constexpr Precision kPrecision = Precision::kFast;
    static constexpr int kLineColumns = 4;
    static constexpr int kLines = S::template kDot4Lines<P::kGreatest>;
    static constexpr bool kHasStarts = true;
    template <int kPhase>
    [[gnu::always_inline]] static void unpack(const std::byte* tile,
                                              int group,
                                              int step,
                                              Ints* lines) {
#pragma GCC unroll 4
        for (int i = 0; i < kLines; ++i)
            lines[i] = P::template bytes<kPhase>(tile, group, step * kLines + i);
    }
    template <int kTokens>
    [[gnu::always_inline]] static Ints add(Ints sums, const Ints* lines, const std::uint8_t* q) {
        return S::template add_dot4<kLines, 4 * kTokens>(sums, lines, q);
    }
};

/// The kind of dot products of a precision.
template <class S, class P, Precision>
struct DotsOf {
    using Type = ExactDots<S, P>;
};
template <class S, class P>
struct DotsOf<S, P, Precision::kFast> {
    using Type = FastDots<S, P>;
};

}  // namespace notso::ml::kernels
