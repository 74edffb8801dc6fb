// The attention of a forward pass: queries, keys and values of a chunk, and what its tokens gather.
// Products see all rows of a chunk together; caches and attention go sequence by sequence, their
// tasks in one job.
#include <algorithm>
#include <array>
#include <cmath>

#include "ml/model/transformer.hpp"

namespace notso::ml {

/// Query heads that share a KV head, or some of them.
struct Transformer::HeadGroup {
    std::int32_t layer;
    std::int32_t kv_head;
    std::int32_t first;  ///< Query head.
    std::int32_t n;
};

void Transformer::project_qkv(std::int32_t layer, const Chunk& chunk) const noexcept {
    const ModelConfig& config = spec_.config;
    const LayerWeights& weights = weights_.layers[extent(layer)];
    const TokenBuffer& h = work().h;
    const bool rotates = spec_.architecture->rotates(layer);
    const Product q{weights.attn_q, h, chunk.runs, work().q.data()};
    const Product k{weights.attn_k, h, chunk.runs, work().k.data()};
    const Product v{weights.attn_v, h, chunk.runs.exactly(), work().v.data()};
    // One task per head: its rows, their norm and rotation, and for keys and values the way into
    // the cache. Heads of k and v go together, since both are stored at the end.
    const auto weights_of = [&](std::int32_t task) -> const std::byte* {
        if (task < config.n_kv_heads) return weights.attn_k.row(task * config.head_dim);
        if (task < config.n_kv_heads + config.n_heads)
            return weights.attn_q.row((task - config.n_kv_heads) * config.head_dim);
        return nullptr;
    };
    pool_->run(config.n_kv_heads + config.n_heads, [&](std::int32_t task, std::int32_t thread) {
        const bool is_query = task >= config.n_kv_heads;
        const std::int32_t first = (is_query ? task - config.n_kv_heads : task) * config.head_dim;
        const Product& product = is_query ? q : k;
        const IndexRange rows{first, config.head_dim};
        const std::byte* next = weights_of(task + pool_->size());
        products().multiply_rows(
            product, {rows, is_query ? next : weights.attn_v.row(first)}, thread);
        norm_head(product, first, is_query ? weights.attn_q_norm : weights.attn_k_norm);
        if (rotates) rotate(product.out + first, extent(product.matrix.n_rows), chunk.size());
        if (is_query) return;
        products().multiply_rows(v, {rows, next}, thread);
        for (const ChunkPart& part : chunk.parts) store_kv(layer, task, part);
    });
}

void Transformer::norm_head(const Product& product,
                            std::int32_t first,
                            const float* weight) const noexcept {
    if (weight == nullptr) return;
    const ModelConfig& config = spec_.config;
    for (std::int32_t t = 0; t < product.runs.size(); ++t) {
        float* head = product.out + extent(t, product.matrix.n_rows) + first;
        kernels_.rms_norm(head, weight, head, config.head_dim, config.rms_eps);
    }
}

void Transformer::rotate(float* head, std::size_t stride, std::int32_t n_tokens) const noexcept {
    for (std::int32_t t = 0; t < n_tokens; ++t) {
        kernels_.rope(head + extent(t) * stride,
                      row_of(work().cos_sin, t, spec_.config.n_rot),
                      rope_.n_pairs());
    }
}

const kernels::KvKernels& Transformer::kv_kernels(const KvCache& cache) const noexcept {
    return kv_kernels_[static_cast<std::size_t>(cache.type())];
}

void Transformer::store_kv(std::int32_t layer,
                           std::int32_t kv_head,
                           const ChunkPart& part) const noexcept {
    const std::int32_t dim = spec_.config.head_dim;
    const std::int32_t width = spec_.config.n_kv_heads * dim;
    KvCache& cache = *part.cache;
    const auto store = kv_kernels(cache).store;
    const KvTraits& traits = kv_traits(cache.type());
    constexpr std::int32_t kPiece = 32;  // dimensions of a key at a time: whole blocks of any type
    std::array<std::byte, kv_row_bytes(KvType::kF32, kPiece)> piece;
    for (std::int32_t t = 0; t < part.size(); ++t) {
        const std::int32_t row = part.first_row + t;
        const std::int32_t pos = part.first_pos + t;
        const std::size_t column = extent(kv_head, dim);
        const float* key = row_of(work().k, row, width) + column;
        std::byte* keys = cache.keys(layer, kv_head, pos);
        for (std::int32_t d = 0; d < dim; d += kPiece) {
            const std::int32_t n = std::min(kPiece, dim - d);
            store(key + d, piece.data(), n);
            put_key(cache.type(),
                    {keys, pos % kPageTokens, d / traits.elements, n / traits.elements},
                    piece.data());
        }
        store(row_of(work().v, row, width) + column, cache.value(layer, kv_head, pos), dim);
    }
}

std::int32_t Transformer::heads_per_task(const Chunk& chunk) const noexcept {
    const std::int32_t group = spec_.config.n_heads / spec_.config.n_kv_heads;
    // Few sequences, few KV heads and many threads: each group is cut into parts, so that all have
    // something to do.
    const auto n_groups = static_cast<std::int32_t>(chunk.parts.size()) * spec_.config.n_kv_heads;
    const std::int32_t wanted_parts = divide_up(pool_->size(), n_groups);
    return std::min(kernels::kAttentionQueries, divide_up(group, wanted_parts));
}

void Transformer::attend(std::int32_t layer, const Chunk& chunk) const noexcept {
    const ModelConfig& config = spec_.config;
    const std::int32_t group = config.n_heads / config.n_kv_heads;
    const std::int32_t n_heads = heads_per_task(chunk);
    const std::int32_t n_parts = divide_up(group, n_heads);  // of a group
    const std::int32_t per_block = config.n_kv_heads * n_parts;
    const auto n_blocks = static_cast<std::int32_t>(chunk.blocks.size());
    pool_->run(n_blocks * per_block, [&](std::int32_t task, std::int32_t thread) {
        const std::int32_t kv_head = task / n_parts % config.n_kv_heads;
        const std::int32_t first = task % n_parts * n_heads;
        const HeadGroup heads{.layer = layer,
                              .kv_head = kv_head,
                              .first = kv_head * group + first,
                              .n = std::min(n_heads, group - first)};
        attend_block(chunk.blocks[extent(task / per_block)], heads, chunk.runs, thread);
    });
    // Fast integers are made of blocks of columns that can reach over several heads.
    for_each_tokens(chunk.runs.n_fast, [&](IndexRange fast) {
        products().quantize(work().heads, chunk.runs, {chunk.runs.n_exact + fast.first, fast.n});
    });
}

void Transformer::attend_block(const AttentionBlock& block,
                               const HeadGroup& heads,
                               const TokenRuns& runs,
                               std::int32_t thread) const noexcept {
    const std::int32_t dim = spec_.config.head_dim;
    const std::int32_t q_width = spec_.config.n_heads * dim;
    const std::int32_t row = block.part->first_row + block.first;
    const KvCache& cache = *block.part->cache;
    const auto precision = static_cast<std::size_t>(runs.of_token(row).precision);
    kv_kernels(cache).attention[precision](
        {.q = row_of(work().q, row, q_width) + extent(heads.first, dim),
         .q_stride = extent(q_width),
         .n_tokens = block.n_tokens,
         .n_heads = heads.n,
         .head_dim = dim,
         .first_pos = block.part->first_pos + block.first,
         .scale = 1.0f / std::sqrt(static_cast<float>(dim)),
         .tiles = cache.data(),
         .keys = cache.pool().keys_offset(heads.layer, heads.kv_head),
         .values = cache.pool().values_offset(heads.layer, heads.kv_head),
         .out = work().heads.row(row) + extent(heads.first, dim),
         .out_stride = extent(q_width),
         .scratch = work().scratch[extent(thread)].data(),
         .into_l2 = kernels_.into_l2});
    const std::int32_t last = std::min(row + block.n_tokens, runs.n_exact);
    for (std::int32_t t = row; t < last; ++t)
        products().quantize(work().heads, runs, t, {heads.first * dim, heads.n * dim});
}

}  // namespace notso::ml
