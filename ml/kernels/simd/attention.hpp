// Attention of some queries against one KV head, written once for every instruction set S: online
// softmax over tiles of kAttentionKeys keys. Tiles begin at absolute positions and every query goes
// through them on its own, so a token's result does not depend on which tokens or heads share the
// call. Source of the online softmax: Milakov and Gimelshein 2018, arXiv:1805.02867.
#pragma once

#include "ml/kernels/simd/kv.hpp"
#include "ml/kernels/simd/math.hpp"
#include "ml/kernels/simd/prefetch.hpp"
#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

/// What one call works on; everything lies in AttentionArgs::scratch.
struct AttentionState {
    /// Keys as f32, [head_dim, kAttentionKeys]: one vector holds the same number of sixteen keys.
    /// Then values, [kAttentionKeys, head_dim].
    float* tile;
    float* q;       ///< [n_queries, head_dim], scaled
    float* acc;     ///< [n_queries, head_dim]
    float* scores;  ///< [n_queries, kAttentionKeys]
    float* max;     ///< [n_queries]
    float* sum;     ///< [n_queries]
    std::int32_t n_queries;
};

template <class S>
AttentionState begin_attention(const AttentionArgs& args) {
    const std::ptrdiff_t dim = args.head_dim;
    AttentionState state{};
    state.n_queries = args.n_tokens * args.n_heads;
    state.tile = args.scratch;
    state.q = state.tile + kAttentionKeys * dim;
    state.acc = state.q + kAttentionQueries * dim;
    state.scores = state.acc + kAttentionQueries * dim;
    state.max = state.scores + kAttentionQueries * kAttentionKeys;
    state.sum = state.max + kAttentionQueries;
    const auto scale = S::set1(args.scale);
    for (std::int32_t i = 0; i < state.n_queries; ++i) {
        const float* q = args.q + static_cast<std::size_t>(i / args.n_heads) * args.q_stride +
                         i % args.n_heads * dim;
        for (std::ptrdiff_t d = 0; d < dim; d += 16) {
            S::store(state.q + i * dim + d, S::mul(S::load(q + d), scale));
            S::store(state.acc + i * dim + d, S::zero());
        }
        state.max[i] = -__builtin_inff();
        state.sum[i] = 0;
    }
    return state;
}

/// Turns one query's scores into weights and rescales what it has gathered. The first `visible`
/// scores count.
template <class S>
void fold_scores(const AttentionState& state,
                 std::int32_t query,
                 std::int32_t visible,
                 std::ptrdiff_t dim) {
    float* scores = state.scores + static_cast<std::ptrdiff_t>(query) * kAttentionKeys;
    for (std::int32_t j = visible; j < kAttentionKeys; ++j) scores[j] = -__builtin_inff();
    auto greatest = S::load(scores);
    for (int i = 16; i < kAttentionKeys; i += 16) greatest = S::max(greatest, S::load(scores + i));
    const float tile_max = S::greatest(greatest);
    const float max = tile_max > state.max[query] ? tile_max : state.max[query];
    const float keep = exp_scalar<S>(state.max[query] - max);
    auto sum = S::zero();
    for (int i = 0; i < kAttentionKeys; i += 16) {
        const auto p = exp<S>(S::sub(S::load(scores + i), S::set1(max)));
        S::store(scores + i, p);
        sum = S::add(sum, p);
    }
    state.sum[query] = state.sum[query] * keep + S::sum(sum);
    if (keep != 1.0f) {
        float* acc = state.acc + query * dim;
        for (std::ptrdiff_t d = 0; d < dim; d += 16)
            S::store(acc + d, S::mul(S::load(acc + d), S::set1(keep)));
    }
    state.max[query] = max;
}

/// Memory that is read soon, asked for bit by bit: many requests at once would wait for each other.
struct Ahead {
    const std::byte* next;
    const std::byte* end;

    [[gnu::always_inline]] void ask(std::ptrdiff_t n_lines) {
        constexpr std::ptrdiff_t kLine = 64;
        for (; n_lines > 0 && next < end; --n_lines, next += kLine) prefetch<1>(next);
    }
};

/// The next tile, for a token alone: its queries are few, so keys and values come from memory as
/// fast as it gives them. Each step asks for its part: a dimension of the keys beside one of them,
/// a value beside a value.
struct NextTile {
    Ahead keys;
    Ahead values;
};

/// Makes the first n keys of a tile f32, and perhaps some more.
template <class S, class K>
void read_keys(const AttentionState& state,
               const std::byte* keys,
               std::int32_t n,
               std::ptrdiff_t dim) {
    for (std::ptrdiff_t d = 0; d < dim; ++d)
        for (std::int32_t key = 0; key < n; key += 16)
            S::store(state.tile + d * kAttentionKeys + key, K::load_keys(keys, d, key));
}

/// Scores of kQueries neighbouring queries and kVecs · 16 keys from `key` on; keys(d, key) gives
/// number d of sixteen keys.
template <class S, int kQueries, int kVecs, class Keys>
void score_keys(const AttentionState& state,
                const Keys& keys,
                std::int32_t query,
                std::int32_t key,
                std::ptrdiff_t dim) {
    const float* q = state.q + query * dim;
    typename S::Vec sums[kQueries * kVecs];
#pragma GCC unroll 32
    for (int i = 0; i < kQueries * kVecs; ++i) sums[i] = S::zero();
    for (std::ptrdiff_t d = 0; d < dim; ++d) {
        typename S::Vec vecs[kVecs];
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) vecs[v] = keys(d, key + 16 * v);
#pragma GCC unroll 8
        for (int i = 0; i < kQueries; ++i) {
            const auto number = S::set1(q[i * dim + d]);
#pragma GCC unroll 8
            for (int v = 0; v < kVecs; ++v)
                sums[i * kVecs + v] = S::fma(number, vecs[v], sums[i * kVecs + v]);
        }
    }
    float* scores = state.scores + static_cast<std::ptrdiff_t>(query) * kAttentionKeys + key;
#pragma GCC unroll 32
    for (int i = 0; i < kQueries * kVecs; ++i)
        S::store(scores + i / kVecs * kAttentionKeys + i % kVecs * 16, sums[i]);
}

/// Scores of the queries from `query` on and the first n keys of a tile, sixteen keys at a time.
template <class S, int kQueries, class Keys>
void score_tile(const AttentionState& state,
                const Keys& keys,
                std::int32_t query,
                std::int32_t n,
                std::ptrdiff_t dim) {
    for (; query + kQueries <= state.n_queries; query += kQueries) {
        std::int32_t key = 0;
        for (; key + S::kScoreVecs * 16 <= n; key += S::kScoreVecs * 16)
            score_keys<S, kQueries, S::kScoreVecs>(state, keys, query, key, dim);
        for (; key < n; key += 16) score_keys<S, kQueries, 1>(state, keys, query, key, dim);
    }
    if constexpr (kQueries > 1) score_tile<S, kQueries - 1>(state, keys, query, n, dim);
}

/// acc += weights · values for kQueries neighbouring queries, over kVecs · 16 dimensions from `d`
/// on; value(key, d) gives sixteen numbers of a value.
template <class S, int kQueries, int kVecs, class Value>
[[gnu::always_inline]] inline void gather_values(const AttentionState& state,
                                                 const Value& value,
                                                 std::int32_t query,
                                                 std::int32_t visible,
                                                 std::ptrdiff_t d,
                                                 std::ptrdiff_t dim) {
    float* acc = state.acc + query * dim + d;
    const float* weights = state.scores + static_cast<std::ptrdiff_t>(query) * kAttentionKeys;
    typename S::Vec sums[kQueries * kVecs];
#pragma GCC unroll 16
    for (int i = 0; i < kQueries * kVecs; ++i)
        sums[i] = S::load(acc + i / kVecs * dim + i % kVecs * 16);
    for (std::int32_t j = 0; j < visible; ++j) {
        typename S::Vec vecs[kVecs];
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) vecs[v] = value(j, d + 16 * v);
#pragma GCC unroll 8
        for (int q = 0; q < kQueries; ++q) {
            const auto p = S::set1(weights[q * kAttentionKeys + j]);
#pragma GCC unroll 8
            for (int v = 0; v < kVecs; ++v)
                sums[q * kVecs + v] = S::fma(p, vecs[v], sums[q * kVecs + v]);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < kQueries * kVecs; ++i)
        S::store(acc + i / kVecs * dim + i % kVecs * 16, sums[i]);
}

template <class S, int kQueries, class Value>
void gather_all_dims(const AttentionState& state,
                     const Value& value,
                     std::int32_t query,
                     std::int32_t visible,
                     std::ptrdiff_t dim) {
    std::ptrdiff_t d = 0;
    for (; d + S::kValueVecs * 16 <= dim; d += S::kValueVecs * 16)
        gather_values<S, kQueries, S::kValueVecs>(state, value, query, visible, d, dim);
    for (; d < dim; d += 16) gather_values<S, kQueries, 1>(state, value, query, visible, d, dim);
}

/// The same for so many queries, as many at a time as there are registers for.
template <class S, int kQueries, class Value>
void gather_queries(const AttentionState& state,
                    const Value& value,
                    std::int32_t query,
                    std::int32_t n_queries,
                    std::int32_t visible,
                    std::ptrdiff_t dim) {
    for (; n_queries >= kQueries; query += kQueries, n_queries -= kQueries)
        gather_all_dims<S, kQueries>(state, value, query, visible, dim);
    if constexpr (kQueries > 1)
        gather_queries<S, kQueries - 1>(state, value, query, n_queries, visible, dim);
}

/// The queries of one token: from scores to what they gather of the tile's visible values.
template <class S, class Value>
void gather_token(const AttentionState& state,
                  const Value& value,
                  std::int32_t query,
                  std::int32_t n_heads,
                  std::int32_t visible,
                  std::ptrdiff_t dim) {
    for (std::int32_t h = 0; h < n_heads; ++h) fold_scores<S>(state, query + h, visible, dim);
    gather_queries<S, S::kValueQueries>(state, value, query, n_heads, visible, dim);
}

/// One tile of keys and values.
struct Tile {
    const std::byte* keys;
    const std::byte* values;
    std::int32_t first;  ///< Position of its first token.
    std::int32_t n;      ///< Tokens of it that are there.
};

/// What is asked for beside a tile: the next one, if there is one.
inline NextTile next_tile(const AttentionArgs& args, const Tile& tile, std::size_t row_bytes) {
    if (tile.first + kAttentionKeys >= args.first_pos + args.n_tokens) return {};
    const std::byte* next = args.tiles[tile.first / kAttentionKeys + 1];
    const std::size_t bytes = kAttentionKeys * row_bytes;
    return {{next + args.keys, next + args.keys + bytes},
            {next + args.values, next + args.values + bytes}};
}

/// For a token alone.
template <class S, class K>
void attend_alone(const AttentionArgs& args, const AttentionState& state, const Tile& tile) {
    const std::ptrdiff_t dim = args.head_dim;
    const std::size_t row_bytes = kv_row_bytes(K::kType, args.head_dim);
    const auto value_lines = static_cast<std::ptrdiff_t>((row_bytes + 63) / 64);
    NextTile next = next_tile(args, tile, row_bytes);
    const auto key = [&](std::ptrdiff_t d, std::int32_t first) __attribute__((always_inline)) {
        if (first == 0) next.keys.ask(K::kKeyLines);
        return K::load_keys(tile.keys, d, first);
    };
    score_tile<S, S::kScoreQueries>(state, key, 0, tile.n, dim);
    const auto value = [&](std::int32_t j, std::ptrdiff_t d) __attribute__((always_inline)) {
        if (d == 0) next.values.ask(value_lines);
        return K::load(tile.values + static_cast<std::size_t>(j) * row_bytes, d);
    };
    gather_token<S>(state, value, 0, args.n_heads, tile.n, dim);
}

/// For several tokens, each of which sees its own part of the tile.
template <class S, class K>
void attend_together(const AttentionArgs& args, const AttentionState& state, const Tile& tile) {
    const std::ptrdiff_t dim = args.head_dim;
    const std::size_t row_bytes = kv_row_bytes(K::kType, args.head_dim);
    const std::int32_t n = tile.n;
    read_keys<S, K>(state, tile.keys, n, dim);
    const auto key = [&](std::ptrdiff_t d, std::int32_t first) __attribute__((always_inline)) {
        return S::load(state.tile + d * kAttentionKeys + first);
    };
    score_tile<S, S::kScoreQueries>(state, key, 0, n, dim);
    const std::byte* row = tile.values;
    for (std::int32_t j = 0; j < n; ++j, row += row_bytes)
        for (std::ptrdiff_t d = 0; d < dim; d += 16)
            S::store(state.tile + j * dim + d, K::load(row, d));
    const auto value = [&](std::int32_t j, std::ptrdiff_t d) __attribute__((always_inline)) {
        return S::load(state.tile + j * dim + d);
    };
    for (std::int32_t t = 0; t < args.n_tokens; ++t) {
        const std::int32_t causal = args.first_pos + t + 1 - tile.first;
        if (causal <= 0) continue;
        gather_token<S>(state, value, t * args.n_heads, args.n_heads, causal < n ? causal : n, dim);
    }
}

/// K says how keys and values are stored (kv.hpp).
template <class S, class K>
void attention(const AttentionArgs& args) noexcept {
    const std::ptrdiff_t dim = args.head_dim;
    const AttentionState state = begin_attention<S>(args);
    const std::int32_t total = args.first_pos + args.n_tokens;
    for (std::int32_t first = 0; first < total; first += kAttentionKeys) {
        const std::byte* data = args.tiles[first / kAttentionKeys];
        const Tile tile{.keys = data + args.keys,
                        .values = data + args.values,
                        .first = first,
                        .n = total - first < kAttentionKeys ? total - first : kAttentionKeys};
        if (args.n_tokens == 1) {
            attend_alone<S, K>(args, state, tile);
        } else {
            attend_together<S, K>(args, state, tile);
        }
    }
    for (std::int32_t i = 0; i < state.n_queries; ++i) {
        float* out = args.out + static_cast<std::size_t>(i / args.n_heads) * args.out_stride +
                     i % args.n_heads * dim;
        const auto scale = S::set1(1.0f / state.sum[i]);
        for (std::ptrdiff_t d = 0; d < dim; d += 16) {
            S::store(out + d, S::mul(S::load(state.acc + i * dim + d), scale));
        }
    }
}

}  // namespace notso::ml::kernels
