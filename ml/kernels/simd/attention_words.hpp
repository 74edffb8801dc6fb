// How attention (attention.hpp) multiplies: queries with keys, and weights with values. What is
// multiplied stands in words of 32 bits, a number each or two of bf16. Written once for every
// instruction set S.
#pragma once

#include "ml/kernels/simd/kv.hpp"
#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

/// What one call works on; everything lies in AttentionArgs::scratch. Rows of words may leave the
/// end of their place unused.
struct AttentionState {
    /// Keys, [words of head_dim, kAttentionKeys]: one vector holds the same word of sixteen keys.
    /// Then values, [words of kAttentionKeys, head_dim].
    float* tile;
    float* q;       ///< [n_queries, head_dim], scaled; words
    float* acc;     ///< [n_queries, head_dim]
    float* scores;  ///< [n_queries, kAttentionKeys]; then weights, words
    float* max;     ///< [n_queries]
    float* sum;     ///< [n_queries]
    std::int32_t n_queries;
};

/// Scores of kQueries neighbouring queries and kVecs · 16 keys from `key` on; keys(i, key) gives
/// word i of sixteen keys.
template <class W, int kQueries, int kVecs, class Keys>
void score_keys(const AttentionState& state,
                const Keys& keys,
                std::int32_t query,
                std::int32_t key,
                std::ptrdiff_t dim) {
    using S = typename W::Set;
    const float* q = state.q + query * dim;
    typename S::Vec sums[kQueries * kVecs];
#pragma GCC unroll 32
    for (int i = 0; i < kQueries * kVecs; ++i) sums[i] = S::zero();
    for (std::ptrdiff_t d = 0; d < dim / W::kPerWord; ++d) {
        typename S::Vec vecs[kVecs];
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) vecs[v] = keys(d, key + 16 * v);
#pragma GCC unroll 8
        for (int i = 0; i < kQueries; ++i) {
            const auto word = S::set1(q[i * dim + d]);
#pragma GCC unroll 8
            for (int v = 0; v < kVecs; ++v)
                sums[i * kVecs + v] = W::add_product(sums[i * kVecs + v], word, vecs[v]);
        }
    }
    float* scores = state.scores + static_cast<std::ptrdiff_t>(query) * kAttentionKeys + key;
#pragma GCC unroll 32
    for (int i = 0; i < kQueries * kVecs; ++i)
        S::store(scores + i / kVecs * kAttentionKeys + i % kVecs * 16, sums[i]);
}

/// Scores of the queries from `query` on and the first n keys of a tile, sixteen keys at a time.
template <class W, int kQueries, class Keys>
void score_tile(const AttentionState& state,
                const Keys& keys,
                std::int32_t query,
                std::int32_t n,
                std::ptrdiff_t dim) {
    constexpr int kVecs = W::Set::kScoreVecs;
    for (; query + kQueries <= state.n_queries; query += kQueries) {
        std::int32_t key = 0;
        for (; key + kVecs * 16 <= n; key += kVecs * 16)
            score_keys<W, kQueries, kVecs>(state, keys, query, key, dim);
        for (; key < n; key += 16) score_keys<W, kQueries, 1>(state, keys, query, key, dim);
    }
    if constexpr (kQueries > 1) score_tile<W, kQueries - 1>(state, keys, query, n, dim);
}

/// acc += weights · values for kQueries neighbouring queries, over kVecs · 16 dimensions from `d`
/// on and the first n_words of the weights; value(i, d) gives sixteen words of values, which belong
/// to word i of a query's weights.
template <class W, int kQueries, int kVecs, class Value>
[[gnu::always_inline]] inline void gather_values(const AttentionState& state,
                                                 const Value& value,
                                                 std::int32_t query,
                                                 std::int32_t n_words,
                                                 std::ptrdiff_t d,
                                                 std::ptrdiff_t dim) {
    using S = typename W::Set;
    float* acc = state.acc + query * dim + d;
    const float* weights = state.scores + static_cast<std::ptrdiff_t>(query) * kAttentionKeys;
    typename S::Vec sums[kQueries * kVecs];
#pragma GCC unroll 16
    for (int i = 0; i < kQueries * kVecs; ++i)
        sums[i] = S::load(acc + i / kVecs * dim + i % kVecs * 16);
    for (std::int32_t j = 0; j < n_words; ++j) {
        typename S::Vec vecs[kVecs];
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) vecs[v] = value(j, d + 16 * v);
#pragma GCC unroll 8
        for (int q = 0; q < kQueries; ++q) {
            const auto word = S::set1(weights[q * kAttentionKeys + j]);
#pragma GCC unroll 8
            for (int v = 0; v < kVecs; ++v)
                sums[q * kVecs + v] = W::add_product(sums[q * kVecs + v], word, vecs[v]);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < kQueries * kVecs; ++i)
        S::store(acc + i / kVecs * dim + i % kVecs * 16, sums[i]);
}

template <class W, int kQueries, class Value>
void gather_all_dims(const AttentionState& state,
                     const Value& value,
                     std::int32_t query,
                     std::int32_t n_words,
                     std::ptrdiff_t dim) {
    constexpr int kVecs = W::Set::kValueVecs;
    std::ptrdiff_t d = 0;
    for (; d + kVecs * 16 <= dim; d += kVecs * 16)
        gather_values<W, kQueries, kVecs>(state, value, query, n_words, d, dim);
    for (; d < dim; d += 16) gather_values<W, kQueries, 1>(state, value, query, n_words, d, dim);
}

/// The same for so many queries, as many at a time as there are registers for.
template <class W, int kQueries, class Value>
void gather_queries(const AttentionState& state,
                    const Value& value,
                    std::int32_t query,
                    std::int32_t n_queries,
                    std::int32_t n_words,
                    std::ptrdiff_t dim) {
    for (; n_queries >= kQueries; query += kQueries, n_queries -= kQueries)
        gather_all_dims<W, kQueries>(state, value, query, n_words, dim);
    if constexpr (kQueries > 1)
        gather_queries<W, kQueries - 1>(state, value, query, n_queries, n_words, dim);
}

/// From state.tile, as read_keys made it.
template <class W>
void score_words(const AttentionState& state, std::int32_t n, std::ptrdiff_t dim) {
    using S = typename W::Set;
    const auto key = [&](std::ptrdiff_t i, std::int32_t first) __attribute__((always_inline)) {
        return S::load(state.tile + i * kAttentionKeys + first);
    };
    score_tile<W, S::kScoreQueries>(state, key, 0, n, dim);
}

/// From state.tile, as read_values made it.
template <class W>
void gather_words(const AttentionState& state,
                  std::int32_t query,
                  std::int32_t n_heads,
                  std::int32_t visible,
                  std::ptrdiff_t dim) {
    using S = typename W::Set;
    const auto value = [&](std::int32_t i, std::ptrdiff_t d) __attribute__((always_inline)) {
        return S::load(state.tile + i * dim + d);
    };
    const std::int32_t n_words = (visible + W::kPerWord - 1) / W::kPerWord;
    gather_queries<W, S::kValueQueries>(state, value, query, n_heads, n_words, dim);
}

// Each kind of words W of an instruction set S:
//   kPerWord   numbers of a word; kDims, kKeys   words are filled up with zeros to multiples of
//   these
//   begin(), end()   around everything of a call
//   make(a, b)   sixteen words of numbers that stand in one vector each, b only where kPerWord is 2
//   put_row(row, n)   makes words of n numbers that follow each other, where they are
//   score(state, n, dim)   all scores of the first n keys of a tile
//   gather_token(…), gather_all(…)   adds the values of a tile, either called for every token or
//   once for all

/// What those W share that vectors multiply: every token gathers what it sees.
template <class W>
struct VectorWords {
    static void begin() {}
    static void end() {}
    static void score(const AttentionState& state, std::int32_t n, std::ptrdiff_t dim) {
        score_words<W>(state, n, dim);
    }
    static void gather_token(const AttentionState& state,
                             std::int32_t query,
                             std::int32_t n_heads,
                             std::int32_t visible,
                             std::ptrdiff_t dim) {
        gather_words<W>(state, query, n_heads, visible, dim);
    }
    static void gather_all(const AttentionState&, std::int32_t, std::ptrdiff_t) {}
};

/// A number each, of f32.
template <class S>
struct Numbers : VectorWords<Numbers<S>> {
    using Set = S;
    static constexpr int kPerWord = 1;
    static constexpr std::int32_t kDims = 1;
    static constexpr std::int32_t kKeys = 1;
    static void put_row(float*, std::ptrdiff_t) {}
    static typename S::Vec make(typename S::Vec a, typename S::Vec) { return a; }
    static typename S::Vec add_product(typename S::Vec sums,
                                       typename S::Vec word,
                                       typename S::Vec words) {
        return S::fma(word, words, sums);
    }
};

/// Two numbers of bf16, the first in the lower half.
template <class S>
struct Bf16Pairs : VectorWords<Bf16Pairs<S>> {
    using Set = S;
    static constexpr int kPerWord = 2;
    static constexpr std::int32_t kDims = 2;
    static constexpr std::int32_t kKeys = 2;
    static void put_row(float* row, std::ptrdiff_t n) {
        for (std::ptrdiff_t i = 0; i < n; i += 32) {
            const auto second = i + 16 < n ? S::load(row + i + 16) : S::zero();
            S::store(row + i / 2, S::bf16_row(S::load(row + i), second));
        }
    }
    static typename S::Vec make(typename S::Vec a, typename S::Vec b) {
        return S::bf16_pairs(a, b);
    }
    static typename S::Vec add_product(typename S::Vec sums,
                                       typename S::Vec word,
                                       typename S::Vec words) {
        return S::add_bf16_pairs(sums, word, words);
    }
};

/// Makes words of the first n keys of a tile, and perhaps of some more.
template <class S, class K, class W>
void read_keys(const AttentionState& state,
               const std::byte* keys,
               std::int32_t n,
               std::ptrdiff_t dim) {
    float* out = state.tile;
    std::ptrdiff_t d = 0;
    for (; d < dim; d += W::kPerWord, out += kAttentionKeys) {
        for (std::int32_t key = 0; key < n; key += 16) {
            const auto first = K::load_keys(keys, d, key);
            S::store(out + key, W::make(first, K::load_keys(keys, d + W::kPerWord - 1, key)));
        }
    }
    for (; d % W::kDims != 0; d += W::kPerWord, out += kAttentionKeys)
        for (std::int32_t key = 0; key < n; key += 16) S::store(out + key, S::zero());
}

/// Makes words of the first n values of a tile.
template <class S, class K, class W>
void read_values(const AttentionState& state,
                 const std::byte* values,
                 std::int32_t n,
                 std::ptrdiff_t dim) {
    const std::size_t row_bytes = kv_row_bytes(K::kType, static_cast<std::int32_t>(dim));
    const auto load = [&](std::int32_t j, std::ptrdiff_t d) __attribute__((always_inline)) {
        return j < n ? K::load(values + static_cast<std::size_t>(j) * row_bytes, d) : S::zero();
    };
    float* out = state.tile;
    const std::int32_t end = (n + W::kKeys - 1) / W::kKeys * W::kKeys;
    for (std::int32_t j = 0; j < end; j += W::kPerWord, out += dim)
        for (std::ptrdiff_t d = 0; d < dim; d += 16)
            S::store(out + d, W::make(load(j, d), load(j + W::kPerWord - 1, d)));
}

}  // namespace notso::ml::kernels
