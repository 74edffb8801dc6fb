// What attention multiplies, by tiles T: words of two bf16 (simd/attention_words.hpp). Sixteen
// queries are a tile, and so are 32 dimensions of sixteen keys, or of 32 keys sixteen dimensions.
#pragma once

#include "ml/kernels/amx/strips.hpp"
#include "ml/kernels/simd/attention.hpp"

namespace notso::ml::kernels {

/// Rows of words, `step` words apart.
struct WordRows {
    float* first;
    std::ptrdiff_t step;
};

/// out [16 · kRows, 16 · kColumns] (+)= a [16 · kRows, n · 16 words] · b [n · 16 words, 16 ·
/// kColumns]
template <class T, int kRows, int kColumns, bool kAdds>
void multiply_words(const WordRows& a, const WordRows& b, const WordRows& out, std::int32_t n) {
    constexpr auto kBytes = static_cast<std::ptrdiff_t>(sizeof(float));
    const auto place = [&](int i) {
        return out.first + i / kColumns * 16 * out.step + i % kColumns * 16;
    };
    for_each_index<kRows * kColumns>([&](auto i) __attribute__((always_inline)) {
        if constexpr (kAdds) {
            T::template load<i.value>(place(i.value), out.step * kBytes);
        } else {
            T::template clear<i.value>();
        }
    });
    for (std::int32_t step = 0; step < n; ++step) {
        for_each_index<kRows>([&](auto row) __attribute__((always_inline)) {
            T::template load<6 + row.value>(a.first + row.value * 16 * a.step + step * 16,
                                            a.step * kBytes);
        });
        for_each_index<kColumns>([&](auto column) __attribute__((always_inline)) {
            T::template load<4 + column.value>(b.first + step * 16 * b.step + column.value * 16,
                                               b.step * kBytes);
            for_each_index<kRows>([&](auto row) __attribute__((always_inline)) {
                T::template multiply<row.value * kColumns + column.value,
                                     6 + row.value,
                                     4 + column.value>();
            });
        });
    }
    for_each_index<kRows * kColumns>([&](auto i) __attribute__((always_inline)) {
        T::template store<i.value>(place(i.value), out.step * kBytes);
    });
}

/// W of tiles. S rounds to bf16. What stands behind the last query of a tile may be anything.
template <class T, class S>
struct TilePairs : Bf16Pairs<S> {
    static constexpr std::int32_t kDims = 32;
    static constexpr std::int32_t kKeys = 32;
    static_assert(kAttentionQueries % 16 == 0 && kAttentionKeys % 32 == 0);

    static void begin() { T::begin({.n_tokens = 16, .n_columns = 32}); }
    static void end() { T::end(); }
    static void score(const AttentionState& state, std::int32_t n, std::ptrdiff_t dim) {
        const auto n_steps = static_cast<std::int32_t>((dim + kDims - 1) / kDims);
        multiply_queries<false>(state.n_queries,
                                (n + 15) / 16,
                                {state.q, dim},
                                {state.tile, kAttentionKeys},
                                {state.scores, kAttentionKeys},
                                n_steps);
    }
    static void gather_token(
        const AttentionState&, std::int32_t, std::int32_t, std::int32_t, std::ptrdiff_t) {}
    static void gather_all(const AttentionState& state, std::int32_t n, std::ptrdiff_t dim) {
        multiply_queries<true>(state.n_queries,
                               static_cast<std::int32_t>(dim / 16),
                               {state.scores, kAttentionKeys},
                               {state.tile, dim},
                               {state.acc, dim},
                               (n + kKeys - 1) / kKeys);
    }

  private:
    template <bool kAdds>
    static void multiply_queries(std::int32_t n_queries,
                                 std::int32_t n_columns,
                                 WordRows a,
                                 const WordRows& b,
                                 WordRows out,
                                 std::int32_t n_steps) {
        for (; n_queries > 0; n_queries -= 32) {
            if (n_queries > 16) {
                multiply_rows<2, kAdds>(n_columns, a, b, out, n_steps);
            } else {
                multiply_rows<1, kAdds>(n_columns, a, b, out, n_steps);
            }
            a.first += 32 * a.step;
            out.first += 32 * out.step;
        }
    }
    /// @param n_columns  Tiles of sixteen.
    template <int kRows, bool kAdds>
    static void multiply_rows(
        std::int32_t n_columns, const WordRows& a, WordRows b, WordRows out, std::int32_t n_steps) {
        for (; n_columns > 1; n_columns -= 2, b.first += 32, out.first += 32)
            multiply_words<T, kRows, 2, kAdds>(a, b, out, n_steps);
        if (n_columns > 0) multiply_words<T, kRows, 1, kAdds>(a, b, out, n_steps);
    }
};

}  // namespace notso::ml::kernels
