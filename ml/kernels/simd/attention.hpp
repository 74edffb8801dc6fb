// Attention of some queries against one KV head, written once for every instruction set S: online
// softmax over tiles of kAttentionKeys keys. Tiles begin at absolute positions and every query goes
// through them on its own, so a token's result does not depend on which tokens or heads share the
// call. Source of the online softmax: Milakov and Gimelshein 2018, arXiv:1805.02867.
#pragma once

#include "ml/kernels/simd/kv.hpp"
#include "ml/kernels/simd/math.hpp"
#include "ml/kernels/simd/matmul.hpp"
#include "ml/kernels/table.hpp"

namespace notso::ml::kernels {

/// What one call works on; everything lies in AttentionArgs::scratch.
struct AttentionState {
    float* tile;    ///< [kAttentionKeys, head_dim] keys, then values, as f32
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

/// acc += weights · values for kQueries neighbouring queries, over kVecs · 16 dimensions from `d`
/// on.
template <class S, int kQueries, int kVecs>
[[gnu::always_inline]] inline void gather_values(const AttentionState& state,
                                                 const float* values,
                                                 std::int32_t query,
                                                 std::int32_t visible,
                                                 std::ptrdiff_t d,
                                                 std::ptrdiff_t dim) {
    float* acc = state.acc + query * dim + d;
    const float* weights = state.scores + static_cast<std::ptrdiff_t>(query) * kAttentionKeys;
    typename S::Vec sums[kQueries * kVecs];
#pragma GCC unroll 8
    for (int i = 0; i < kQueries * kVecs; ++i)
        sums[i] = S::load(acc + i / kVecs * dim + i % kVecs * 16);
    for (std::int32_t j = 0; j < visible; ++j) {
        const float* row = values + j * dim + d;
#pragma GCC unroll 8
        for (int q = 0; q < kQueries; ++q) {
            const auto p = S::set1(weights[q * kAttentionKeys + j]);
#pragma GCC unroll 8
            for (int v = 0; v < kVecs; ++v) {
                sums[q * kVecs + v] = S::fma(p, S::load(row + 16 * v), sums[q * kVecs + v]);
            }
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < kQueries * kVecs; ++i)
        S::store(acc + i / kVecs * dim + i % kVecs * 16, sums[i]);
}

template <class S, int kQueries>
void gather_all_dims(const AttentionState& state,
                     const float* values,
                     std::int32_t query,
                     std::int32_t visible,
                     std::ptrdiff_t dim) {
    std::ptrdiff_t d = 0;
    for (; d + S::kValueVecs * 16 <= dim; d += S::kValueVecs * 16) {
        gather_values<S, kQueries, S::kValueVecs>(state, values, query, visible, d, dim);
    }
    for (; d < dim; d += 16) gather_values<S, kQueries, 1>(state, values, query, visible, d, dim);
}

/// K says how keys and values are stored (kv.hpp).
template <class S, class K>
void attention(const AttentionArgs& args) noexcept {
    const std::ptrdiff_t dim = args.head_dim;
    const std::size_t row_bytes = kv_row_bytes(K::kType, args.head_dim);
    const AttentionState state = begin_attention<S>(args);
    const std::int32_t total = args.first_pos + args.n_tokens;
    for (std::int32_t first = 0; first < total; first += kAttentionKeys) {
        const std::int32_t n = total - first < kAttentionKeys ? total - first : kAttentionKeys;
        const std::size_t offset = static_cast<std::size_t>(first) * row_bytes;
        multiply_panel<S>({.rows = K::rows(args.keys + offset, state.tile, n * dim),
                           .n_rows = n,
                           .n_cols = args.head_dim,
                           .x = state.q,
                           .x_stride = static_cast<std::size_t>(dim),
                           .n_tokens = state.n_queries,
                           .out = state.scores,
                           .out_stride = kAttentionKeys,
                           .store = Store::kReplace,
                           .part = {},
                           .partial = nullptr});
        const float* values = K::rows(args.values + offset, state.tile, n * dim);
        for (std::int32_t t = 0; t < args.n_tokens; ++t) {
            const std::int32_t causal = args.first_pos + t + 1 - first;
            if (causal <= 0) continue;
            const std::int32_t visible = causal < n ? causal : n;
            const std::int32_t query = t * args.n_heads;
            for (std::int32_t h = 0; h < args.n_heads; ++h)
                fold_scores<S>(state, query + h, visible, dim);
            std::int32_t h = 0;
            for (; h + 2 <= args.n_heads; h += 2)
                gather_all_dims<S, 2>(state, values, query + h, visible, dim);
            if (h < args.n_heads) gather_all_dims<S, 1>(state, values, query + h, visible, dim);
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
