// Attention of some queries against one KV head, written once for every instruction set S: online
// softmax over tiles of kAttentionKeys keys. Tiles begin at absolute positions and every query goes
// through them on its own, so a token's result does not depend on which tokens or heads share the
// call. Source of the online softmax: Milakov and Gimelshein 2018, arXiv:1805.02867.
//
// What is multiplied stands in words of 32 bits, as W says (attention_words.hpp): a number each, or
// two.
#pragma once

#include "ml/kernels/simd/attention_kernels.hpp"
#include "ml/kernels/simd/attention_words.hpp"
#include "ml/kernels/simd/math.hpp"
#include "ml/kernels/simd/prefetch.hpp"

namespace notso::ml::kernels {

template <class S, class W>
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
        W::put_row(state.q + i * dim, dim);
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
    state.sum[query] = __builtin_fmaf(state.sum[query], keep, S::sum(sum));
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
    bool into_l2;

    [[gnu::always_inline]] void ask(std::ptrdiff_t n_lines) {
        constexpr std::ptrdiff_t kLine = 64;
        for (; n_lines > 0 && next < end; --n_lines, next += kLine) {
            if (into_l2) {
                prefetch<1, true>(next);
            } else {
                prefetch<1>(next);
            }
        }
    }
};

/// The next tile, for a token alone: its queries are few, so keys and values come from memory as
/// fast as it gives them. Each step asks for its part: a dimension of the keys beside one of them,
/// a value beside a value.
struct NextTile {
    Ahead keys;
    Ahead values;
};

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
    return {{next + args.keys, next + args.keys + bytes, args.into_l2},
            {next + args.values, next + args.values + bytes, args.into_l2}};
}

/// What is asked for once more, half a tile later, through the L2 cache: the CPU lets requests
/// fall. Keys beside values, this tile's values beside its keys.
inline NextTile next_again(const AttentionArgs& args,
                           const Tile& tile,
                           const NextTile& next,
                           std::size_t row_bytes) {
    if (!args.into_l2) return {};
    return {next.keys, {tile.values, tile.values + kAttentionKeys * row_bytes, true}};
}

/// For a token alone.
template <class S, class K>
void attend_alone(const AttentionArgs& args, const AttentionState& state, const Tile& tile) {
    const std::ptrdiff_t dim = args.head_dim;
    const std::size_t row_bytes = kv_row_bytes(K::kType, args.head_dim);
    const auto value_lines = static_cast<std::ptrdiff_t>((row_bytes + 63) / 64);
    NextTile next = next_tile(args, tile, row_bytes);
    NextTile again = next_again(args, tile, next, row_bytes);
    const auto key = [&](std::ptrdiff_t d, std::int32_t first) __attribute__((always_inline)) {
        if (first == 0) {
            next.keys.ask(K::kKeyLines);
            again.values.ask(K::kKeyLines);
        }
        return K::load_keys(tile.keys, d, first);
    };
    score_tile<Numbers<S>, S::kScoreQueries>(state, key, 0, tile.n, dim);
    for (std::int32_t h = 0; h < args.n_heads; ++h) fold_scores<S>(state, h, tile.n, dim);
    const auto value = [&](std::int32_t j, std::ptrdiff_t d) __attribute__((always_inline)) {
        if (d == 0) {
            next.values.ask(value_lines);
            again.keys.ask(value_lines);
        }
        return K::load(tile.values + static_cast<std::size_t>(j) * row_bytes, d);
    };
    gather_queries<Numbers<S>, S::kValueQueries>(state, value, 0, args.n_heads, tile.n, dim);
}

/// For several tokens, each of which sees its own part of the tile.
template <class S, class K, class W>
void attend_together(const AttentionArgs& args, const AttentionState& state, const Tile& tile) {
    const std::ptrdiff_t dim = args.head_dim;
    read_keys<S, K, W>(state, tile.keys, tile.n, dim);
    W::score(state, tile.n, dim);
    read_values<S, K, W>(state, tile.values, tile.n, dim);
    for (std::int32_t t = 0; t < args.n_tokens; ++t) {
        const std::int32_t causal = args.first_pos + t + 1 - tile.first;
        const std::int32_t visible = causal < tile.n ? causal : tile.n;
        const std::int32_t query = t * args.n_heads;
        for (std::int32_t i = query; i < query + args.n_heads; ++i) {
            float* scores = state.scores + std::ptrdiff_t{i} * kAttentionKeys;
            if (visible > 0) {
                fold_scores<S>(state, i, visible, dim);
                W::put_row(scores, kAttentionKeys);
            } else {
                for (int j = 0; j < kAttentionKeys; ++j) scores[j] = 0;
            }
        }
        W::gather_token(state, query, args.n_heads, visible, dim);
    }
    W::gather_all(state, tile.n, dim);
}

/// K says how keys and values are stored (kv.hpp).
template <class K, class W>
void attention(const AttentionArgs& args) noexcept {
    using S = typename W::Set;
    const std::ptrdiff_t dim = args.head_dim;
    const AttentionState state = begin_attention<S, W>(args);
    W::begin();
    const std::int32_t total = args.first_pos + args.n_tokens;
    for (std::int32_t first = 0; first < total; first += kAttentionKeys) {
        const std::byte* data = args.tiles[first / kAttentionKeys];
        const Tile tile{.keys = data + args.keys,
                        .values = data + args.values,
                        .first = first,
                        .n = total - first < kAttentionKeys ? total - first : kAttentionKeys};
        if (W::kPerWord == 1 && args.n_tokens == 1) {
            attend_alone<S, K>(args, state, tile);
        } else {
            attend_together<S, K, W>(args, state, tile);
        }
    }
    W::end();
    for (std::int32_t i = 0; i < state.n_queries; ++i) {
        float* out = args.out + static_cast<std::size_t>(i / args.n_heads) * args.out_stride +
                     i % args.n_heads * dim;
        const auto scale = S::set1(1.0f / state.sum[i]);
        for (std::ptrdiff_t d = 0; d < dim; d += 16) {
            S::store(out + d, S::mul(S::load(state.acc + i * dim + d), scale));
        }
    }
}

template <class W>
void AttentionKernels<W>::f16(const AttentionArgs& args) noexcept {
    attention<KvF16<typename W::Set>, W>(args);
}
template <class W>
void AttentionKernels<W>::f32(const AttentionArgs& args) noexcept {
    attention<KvF32<typename W::Set>, W>(args);
}
template <class W>
void AttentionKernels<W>::q8_0(const AttentionArgs& args) noexcept {
    attention<KvQ8_0<typename W::Set>, W>(args);
}

}  // namespace notso::ml::kernels
