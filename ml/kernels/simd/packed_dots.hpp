// What a product of packed weights multiplies, in each precision: lines of weights, sixteen rows
// times some columns, with numbers of tokens.
#pragma once

#include "ml/kernels/simd/packed_blocks.hpp"
#include "ml/kernels/simd/packed_tokens.hpp"

namespace notso::ml::kernels {

// Each kind of dot products D of an instruction set S and a packed type P takes kLines lines of
// kLineColumns columns in one step:
//   unpack<phase>(tile, group, step, lines)  as P::bytes, but with steps of this length
//   start<tokens>(starts, run, part, token)   where the sums of P::kGroup columns of a token begin,
//   part `part` of a run of 32 columns
//   add<tokens>(sums, lines, q)   sums + lines · q of one token of a tile; q stands at the step's
//   first four columns, the next four come 4 · tokens later
// kFoldsBlocks: the integers of kTokenBlock columns become one sum; S keeps those of 32 columns as
// it likes (begin_dots, add_dots, end_dots).

template <class S, class P>
struct ExactDots {
    using Ints = typename S::Ints;
    static constexpr Precision kPrecision = Precision::kExact;
    static constexpr bool kFoldsBlocks = false;
    static constexpr int kLineColumns = 2;
    static constexpr int kLines = 2;
    template <int kPhase>
    [[gnu::always_inline]] static void unpack(const std::byte* tile,
                                              int group,
                                              int step,
                                              Ints* lines) {
        constexpr bool kSigned = P::kOffset > 0;
        const Ints bytes = P::template bytes<kPhase, false>(tile, group, step);
        lines[0] = S::template even_bytes<kSigned>(bytes);
        lines[1] = S::template odd_bytes<kSigned>(bytes);
    }
    template <int>
    [[gnu::always_inline]] static Ints start(const std::int32_t*, int, int, int) {
        return S::zero_ints();
    }
    template <int>
    [[gnu::always_inline]] static Ints add(Ints sums, const Ints* lines, const std::int16_t* q) {
        return S::add_dot2(S::add_dot2(sums, lines[0], q), lines[1], q + 2);
    }
};

/// What fast kinds share: lines of bytes as they are stored.
template <class S, class P, int kStepLines>
struct StoredLines {
    using Ints = typename S::Ints;
    static constexpr Precision kPrecision = Precision::kFast;
    static constexpr int kLineColumns = 4;
    static constexpr int kLines = kStepLines;
    template <int kPhase>
    [[gnu::always_inline]] static void unpack(const std::byte* tile,
                                              int group,
                                              int step,
                                              Ints* lines) {
#pragma GCC unroll 8
        for (int i = 0; i < kLines; ++i)
            lines[i] = P::template bytes<kPhase, true>(tile, group, step * kLines + i);
    }
};

template <class S, class P>
struct FastDots : StoredLines<S, P, S::template kDot4Lines<P::kGreatest>> {
    using Ints = typename S::Ints;
    static constexpr bool kFoldsBlocks = false;
    template <int kTokens>
    [[gnu::always_inline]] static Ints start(const std::int32_t* starts,
                                             int run,
                                             int part,
                                             int token) {
        if constexpr (P::kOffset == 0) return S::zero_ints();
        constexpr int kFactor = P::kOffset / -kStartFactor;
        starts += (run * (kTokenGroup / kStartColumns) + part) * kTokens + token;
        if constexpr (P::kGroup == kStartColumns) return S::template set1_times<kFactor>(*starts);
        return S::template set1_times<kFactor>(starts[0] + starts[kTokens]);
    }
    template <int kTokens>
    [[gnu::always_inline]] static Ints add(Ints sums, const Ints* lines, const std::int8_t* q) {
        return S::template add_dot4<FastDots::kLines, 4 * kTokens>(sums, lines, q);
    }
};

/// FastDots for types with whole scales.
template <class S, class P>
struct BlockDots : StoredLines<S, P, 1> {
    using Ints = typename S::Ints;
    static constexpr bool kFoldsBlocks = true;
    template <int>
    [[gnu::always_inline]] static Ints add(Ints sums, const Ints* lines, const std::int8_t* q) {
        return S::add_dots(sums, *lines, q);
    }
};

/// The kind of dot products of a precision.
template <class S, class P, Precision, bool = P::kWholeScales>
struct DotsOf {
    using Type = ExactDots<S, P>;
};
template <class S, class P>
struct DotsOf<S, P, Precision::kFast, false> {
    using Type = FastDots<S, P>;
};
template <class S, class P>
struct DotsOf<S, P, Precision::kFast, true> {
    using Type = BlockDots<S, P>;
};

}  // namespace notso::ml::kernels
