// What a product of packed weights multiplies, in each precision: lines of weights, sixteen rows
// times some columns, with numbers of tokens.
#pragma once

#include <type_traits>

#include "ml/kernels/simd/packed_blocks.hpp"
#include "ml/kernels/simd/packed_tokens.hpp"

namespace notso::ml::kernels {

// Each kind of dot products D of an instruction set S and a packed type P takes kLines lines of
// kLineColumns columns in one step:
//   unpack<phase>(tile, group, step, lines)  as P::bytes, but with steps of this length
//   start<tokens>(starts, run, part, token)   where the Sums of P::kGroup columns of a token begin,
//   part `part` of a run of 32 columns
//   add<panels, tokens>(sums, lines, q)   sums + lines · q of one token of a tile; q stands at the
//   step's first four columns, the next four come 4 · tokens later
//   total<phase>(sums)   one sum for each row
// kSums: what they add up before they scale it. Of kBlocks, S keeps the integers of 32 columns as
// it likes (begin_dots, add_dots, end_dots).

/// Where the sum of P::kGroup columns of a token begins: it takes out what was added to weights.
template <class S, class P, Precision kPrecision, int kTokens>
[[gnu::always_inline]] inline typename S::Ints group_start(const std::int32_t* starts,
                                                           int run,
                                                           int part,
                                                           int token) {
    if constexpr (P::kOffset == 0) {
        return S::zero_ints();
    } else {
        constexpr int kShift = __builtin_ctz(P::kOffset) -
                               __builtin_ctz(static_cast<unsigned>(kStartFactor<kPrecision>));
        starts +=
            std::ptrdiff_t{run} * (kTokenGroup / kStartColumns * kTokens) + part * kTokens + token;
        if constexpr (P::kGroup == kStartColumns) return S::template set1_shifted<kShift>(*starts);
        return S::template set1_shifted<kShift>(starts[0] + starts[kTokens]);
    }
}

/// Bytes become numbers of 16 bits.
template <class S, class P>
struct ExactDots {
    using Ints = typename S::Ints;
    using Sums = Ints;
    static constexpr Precision kPrecision = Precision::kExact;
    static constexpr FastSums kSums = FastSums::kGroups;
    static constexpr int kLineColumns = 2;
    static constexpr int kLines = 2;
    template <int kPhase>
    [[gnu::always_inline]] static void unpack(const std::byte* tile,
                                              int group,
                                              int step,
                                              Ints* lines) {
        const Ints bytes = P::template bytes<kPhase>(tile, group, step);
        lines[0] = S::and16(bytes, 0x00FF);
        lines[1] = S::shift_right16(bytes, 8);
    }
    template <int kTokens>
    [[gnu::always_inline]] static Ints start(const std::int32_t* starts,
                                             int run,
                                             int part,
                                             int token) {
        return group_start<S, P, kPrecision, kTokens>(starts, run, part, token);
    }
    template <int kPanels, int>
    [[gnu::always_inline]] static Ints add(Ints sums, const Ints* lines, const std::int16_t* q) {
        sums = S::template add_dot2<kPanels>(sums, lines[0], q);
        return S::template add_dot2<kPanels>(sums, lines[1], q + 2);
    }
    template <int>
    [[gnu::always_inline]] static Ints total(Ints sums) {
        return sums;
    }
};

/// ExactDots of types whose bytes are nibbles (P::halves): these stay where they are in their 16
/// bits as far as sums allow; those of even and of odd columns are put right at the end.
template <class S, class P>
struct HalfDots {
    using Ints = typename S::Ints;
    struct Sums {
        Ints even;
        Ints odd;
    };
    static constexpr Precision kPrecision = Precision::kExact;
    static constexpr FastSums kSums = FastSums::kGroups;
    static constexpr int kLineColumns = 2;
    static constexpr int kLines = 2;
    template <int kPhase>
    [[gnu::always_inline]] static void unpack(const std::byte* tile,
                                              int group,
                                              int step,
                                              Ints* lines) {
        if constexpr (P::kHalves) {
            P::template halves<kPhase>(tile, group, step, lines);
        } else {
            ExactDots<S, P>::template unpack<kPhase>(tile, group, step, lines);
        }
    }
    template <int kTokens>
    [[gnu::always_inline]] static Sums start(const std::int32_t* starts,
                                             int run,
                                             int part,
                                             int token) {
        return {group_start<S, P, kPrecision, kTokens>(starts, run, part, token), S::zero_ints()};
    }
    template <int kPanels, int>
    [[gnu::always_inline]] static Sums add(const Sums& sums,
                                           const Ints* lines,
                                           const std::int16_t* q) {
        return {S::template add_dot2<kPanels>(sums.even, lines[0], q),
                S::template add_dot2<kPanels>(sums.odd, lines[1], q + 2)};
    }
    template <int kPhase>
    [[gnu::always_inline]] static Ints total(const Sums& sums) {
        if constexpr (!P::kHalves)
            return S::add32(sums.even, sums.odd);
        else
            return S::add32(S::template shift_right32<P::kEvenShift[kPhase]>(sums.even),
                            S::template shift_right32<P::kOddShift[kPhase]>(sums.odd));
    }
};

/// What fast kinds share: lines of bytes as they are stored.
template <class S, class P, int kStepLines>
struct StoredLines {
    using Ints = typename S::Ints;
    using Sums = Ints;
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
            lines[i] = P::template bytes<kPhase>(tile, group, step * kLines + i);
    }
};

template <class S, class P>
struct FastDots : StoredLines<S, P, S::template kDot4Lines<P::kGreatest>> {
    using Ints = typename S::Ints;
    static constexpr FastSums kSums = P::kFastSums;
    template <int kTokens>
    [[gnu::always_inline]] static Ints start(const std::int32_t* starts,
                                             int run,
                                             int part,
                                             int token) {
        return group_start<S, P, Precision::kFast, kTokens>(starts, run, part, token);
    }
    template <int kPanels, int kTokens>
    [[gnu::always_inline]] static Ints add(Ints sums, const Ints* lines, const std::int8_t* q) {
        return S::template add_dot4<kPanels, FastDots::kLines, 4 * kTokens>(sums, lines, q);
    }
    template <int>
    [[gnu::always_inline]] static Ints total(Ints sums) {
        return sums;
    }
};

/// FastDots of types whose blocks make one sum.
template <class S, class P>
struct BlockDots : StoredLines<S, P, 1> {
    using Ints = typename S::Ints;
    static constexpr FastSums kSums = FastSums::kBlocks;
    template <int kPanels, int>
    [[gnu::always_inline]] static Ints add(Ints sums, const Ints* lines, const std::int8_t* q) {
        return S::template add_dots<kPanels>(sums, *lines, q);
    }
};

/// The kind of dot products of a precision.
template <class S, class P, Precision, FastSums = P::kFastSums>
struct DotsOf {
    using Type = ExactDots<S, P>;
    template <int kTokens>
    using OfFew =
        std::conditional_t<(kTokens <= S::kHalfDotTokens) && P::kHalves, HalfDots<S, P>, Type>;
};
template <class S, class P, FastSums kSums>
struct DotsOf<S, P, Precision::kFast, kSums> {
    using Type = FastDots<S, P>;
    template <int>
    using OfFew = Type;
};
template <class S, class P>
struct DotsOf<S, P, Precision::kFast, FastSums::kBlocks> {
    using Type = BlockDots<S, P>;
    template <int>
    using OfFew = Type;
};

}  // namespace notso::ml::kernels
