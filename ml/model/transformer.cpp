#include "ml/model/transformer.hpp"

#include <algorithm>
#include <cmath>

#include "ml/kernels/generic/table.hpp"
#include "ml/model/workspace.hpp"
#include "ml/quant/pack.hpp"

namespace notso::ml {
namespace {

constexpr std::int32_t kTokensPerAttention = 8;

/// Of the products that make queries, keys and values, whatever the chunk's.
constexpr Precision kAttentionPrecision = Precision::kExact;

std::size_t width(std::int32_t n) { return static_cast<std::size_t>(n); }

/// Start of row `index` of a buffer with rows of `row_width` floats.
float* row_of(const FloatBuffer& buffer, std::int32_t index, std::int32_t row_width) {
    return buffer.data() + width(index) * width(row_width);
}

std::int32_t divide_up(std::int32_t a, std::int32_t b) { return (a + b - 1) / b; }

}  // namespace

struct Transformer::Workspace : ml::Workspace {
    using ml::Workspace::Workspace;
};

/// Tokens that go through the layers together, and where their results go.
struct Transformer::Chunk {
    std::span<const TokenId> tokens;
    std::int32_t first_pos;
    KvCache& cache;
    std::span<float> logits;  ///< [rows, n_vocab] for the last rows of this chunk; empty for none
    Precision precision;

    std::int32_t size() const noexcept { return static_cast<std::int32_t>(tokens.size()); }
};

/// Tokens of a buffer that are multiplied together.
struct Transformer::Batch {
    const TokenBuffer& tokens;
    std::int32_t n_tokens;
    Precision precision;
};

/// out[t, r] = matrix[r] · x[t] + bias[r], or += with Store::kAdd.
struct Transformer::Product {
    const Matrix& matrix;
    const TokenBuffer& x;  ///< [n_tokens, matrix.n_cols]
    float* out;            ///< [n_tokens, matrix.n_rows]
    std::int32_t n_tokens;
    Precision precision;  ///< As x was made into integers.
    kernels::Store store = kernels::Store::kReplace;
};

Transformer::Transformer(ModelSpec spec,
                         Weights weights,
                         const kernels::KernelTable& kernels,
                         std::int32_t n_threads)
    : spec_(std::move(spec)),
      weights_(std::move(weights)),
      kernels_(kernels),
      work_(std::make_unique<Workspace>(spec_.config, kernels.tile_tokens, n_threads)),
      pool_(std::make_unique<ThreadPool>(n_threads)) {
    const bool whole_vectors = spec_.config.head_dim % kernels::kHeadDimMultiple == 0;
    kv_kernels_ = whole_vectors ? kernels_.kv : kernels::generic_table().kv;
    std::span<const float> divisors;
    if (weights_.rope_divisors != nullptr)
        divisors = {weights_.rope_divisors, width(spec_.config.n_rot / 2)};
    rope_ = RopeTable(spec_.rope, divisors);
    const auto is_packed = [](const Matrix& matrix) { return matrix.is_packed(); };
    work_->h.has_packed = is_packed(weights_.output);
    for (const LayerWeights& layer : weights_.layers) {
        for (const Matrix* reader :
             {&layer.attn_q, &layer.attn_k, &layer.attn_v, &layer.ffn_gate, &layer.ffn_up})
            work_->h.has_packed |= is_packed(*reader);
        work_->heads.has_packed |= is_packed(layer.attn_output);
        work_->gate.has_packed |= is_packed(layer.ffn_down);
    }
}

Transformer::~Transformer() = default;

Result<> Transformer::check(std::span<const TokenId> tokens,
                            const KvCache& cache,
                            std::span<float> logits) const {
    const ModelConfig& config = spec_.config;
    const std::size_t room = width(cache.capacity() - cache.size());
    if (tokens.size() > room) {
        return fail(ErrorCode::kContextLength,
                    "{} more tokens do not fit: {} of {} are in use",
                    tokens.size(),
                    cache.size(),
                    cache.capacity());
    }
    for (const TokenId token : tokens) {
        if (to_int(token) < 0 || to_int(token) >= config.n_vocab) {
            return fail(ErrorCode::kInvalidArgument,
                        "token id {} is outside of the vocabulary of {}",
                        to_int(token),
                        config.n_vocab);
        }
    }
    if (logits.size() % width(config.n_vocab) != 0 ||
        logits.size() / width(config.n_vocab) > tokens.size()) {
        return fail(ErrorCode::kInvalidArgument,
                    "{} logits are no whole rows of {} for at most {} tokens",
                    logits.size(),
                    config.n_vocab,
                    tokens.size());
    }
    return {};
}

Result<> Transformer::forward(std::span<const TokenId> tokens,
                              KvCache& cache,
                              std::span<float> logits,
                              Precision precision) const {
    NOTSO_CHECK(check(tokens, cache, logits));
    const std::size_t n_vocab = width(spec_.config.n_vocab);
    const std::size_t first_row = tokens.size() - logits.size() / n_vocab;
    for (std::size_t first = 0; first < tokens.size(); first += kChunkTokens) {
        const std::size_t last = std::min(first + kChunkTokens, tokens.size());
        const std::size_t begin =
            std::max(first, first_row);  // first token of the chunk that wants logits
        const std::size_t n_rows = begin < last ? last - begin : 0;
        const std::size_t offset = n_rows > 0 ? (begin - first_row) * n_vocab : 0;
        run_chunk({.tokens = tokens.subspan(first, last - first),
                   .first_pos = cache.size(),
                   .cache = cache,
                   .logits = logits.subspan(offset, n_rows * n_vocab),
                   .precision = precision});
        cache.advance(static_cast<std::int32_t>(last - first));
    }
    return {};
}

void Transformer::run_chunk(const Chunk& chunk) const noexcept {
    embed(chunk);
    for (std::int32_t layer = 0; layer < spec_.config.n_layers; ++layer) run_layer(layer, chunk);
    if (!chunk.logits.empty()) write_logits(chunk);
}

void Transformer::run_layer(std::int32_t layer, const Chunk& chunk) const noexcept {
    const LayerWeights& weights = weights_.layers[width(layer)];
    const Workspace& w = *work_;
    norm(w.x.data(), weights.attn_norm, chunk.size(), kAttentionPrecision);
    project_qkv(layer, chunk);
    attend(layer, chunk);
    constexpr auto kAdd = kernels::Store::kAdd;
    multiply({weights.attn_output, w.heads, w.x.data(), chunk.size(), chunk.precision, kAdd});
    norm(w.x.data(), weights.ffn_norm, chunk.size(), chunk.precision);
    gated_ffn(weights, chunk);
    multiply({weights.ffn_down, w.gate, w.x.data(), chunk.size(), chunk.precision, kAdd});
}

void Transformer::embed(const Chunk& chunk) const noexcept {
    const Matrix& table = weights_.token_embd;
    for (std::int32_t t = 0; t < chunk.size(); ++t) {
        auto* scratch = reinterpret_cast<std::byte*>(work_->scratch.front().data());
        table.decode_row(
            to_int(chunk.tokens[width(t)]), scratch, row_of(work_->x, t, table.n_cols));
        rope_.write(chunk.first_pos + t, row_of(work_->cos_sin, t, spec_.config.n_rot));
    }
}

void Transformer::project_qkv(std::int32_t layer, const Chunk& chunk) const noexcept {
    const ModelConfig& config = spec_.config;
    const LayerWeights& weights = weights_.layers[width(layer)];
    const TokenBuffer& h = work_->h;
    const bool rotates = spec_.architecture->rotates(layer);
    const Product q{weights.attn_q, h, work_->q.data(), chunk.size(), kAttentionPrecision};
    const Product k{weights.attn_k, h, work_->k.data(), chunk.size(), kAttentionPrecision};
    const Product v{weights.attn_v, h, work_->v.data(), chunk.size(), kAttentionPrecision};
    // One task per head: its rows, their norm and rotation, and for keys and values the way into
    // the cache. Heads of k and v go together, since both are stored at the end.
    pool_->run(config.n_kv_heads + config.n_heads, [&](std::int32_t task, std::int32_t thread) {
        const bool is_query = task >= config.n_kv_heads;
        const std::int32_t first = (is_query ? task - config.n_kv_heads : task) * config.head_dim;
        const Product& product = is_query ? q : k;
        multiply_rows(product, first, config.head_dim, thread);
        norm_head(product, first, is_query ? weights.attn_q_norm : weights.attn_k_norm);
        if (rotates) rotate(product.out + first, width(product.matrix.n_rows), chunk);
        if (is_query) return;
        multiply_rows(v, first, config.head_dim, thread);
        store_kv(layer, task, chunk);
    });
}

void Transformer::norm_head(const Product& product,
                            std::int32_t first,
                            const float* weight) const noexcept {
    if (weight == nullptr) return;
    const ModelConfig& config = spec_.config;
    for (std::int32_t t = 0; t < product.n_tokens; ++t) {
        float* head = product.out + width(t) * width(product.matrix.n_rows) + first;
        kernels_.rms_norm(head, weight, head, config.head_dim, config.rms_eps);
    }
}

const kernels::KvKernels& Transformer::kv_kernels(const Chunk& chunk) const noexcept {
    return kv_kernels_[static_cast<std::size_t>(chunk.cache.type())];
}

void Transformer::rotate(float* head, std::size_t stride, const Chunk& chunk) const noexcept {
    for (std::int32_t t = 0; t < chunk.size(); ++t) {
        kernels_.rope(head + width(t) * stride,
                      row_of(work_->cos_sin, t, spec_.config.n_rot),
                      rope_.n_pairs());
    }
}

void Transformer::store_kv(std::int32_t layer,
                           std::int32_t kv_head,
                           const Chunk& chunk) const noexcept {
    const ModelConfig& config = spec_.config;
    const std::int32_t dim = config.head_dim;
    const std::size_t row_bytes = kv_row_bytes(chunk.cache.type(), dim);
    const std::size_t offset = width(chunk.first_pos) * row_bytes;
    const auto store = [&](const FloatBuffer& source, std::byte* target) {
        for (std::int32_t t = 0; t < chunk.size(); ++t, target += row_bytes) {
            const float* row =
                row_of(source, t, config.n_kv_heads * dim) + width(kv_head) * width(dim);
            kv_kernels(chunk).store(row, target, dim);
        }
    };
    store(work_->k, chunk.cache.keys(layer, kv_head) + offset);
    store(work_->v, chunk.cache.values(layer, kv_head) + offset);
}

void Transformer::attend(std::int32_t layer, const Chunk& chunk) const noexcept {
    const ModelConfig& config = spec_.config;
    const std::int32_t group =
        config.n_heads / config.n_kv_heads;  // query heads that share a KV head
    const std::int32_t q_width = config.n_heads * config.head_dim;
    // Few KV heads and many threads: each group is cut into parts, so that all have something to
    // do.
    const std::int32_t wanted_parts = divide_up(pool_->size(), config.n_kv_heads);
    const std::int32_t heads_per_task =
        std::min(kernels::kAttentionQueries, divide_up(group, wanted_parts));
    const std::int32_t n_parts = divide_up(group, heads_per_task);
    const std::int32_t block =
        std::min(kTokensPerAttention, kernels::kAttentionQueries / heads_per_task);
    const std::int32_t n_blocks = divide_up(chunk.size(), block);
    const kernels::Attention attention = kv_kernels(chunk).attention;
    pool_->run(n_blocks * config.n_kv_heads * n_parts, [&](std::int32_t task, std::int32_t thread) {
        // The last tokens see the most keys: begin with them, so that the short tasks fill the gaps
        // at the end.
        const std::int32_t first = (n_blocks - 1 - task / (config.n_kv_heads * n_parts)) * block;
        const std::int32_t kv_head = task / n_parts % config.n_kv_heads;
        const std::int32_t part = task % n_parts * heads_per_task;
        const std::size_t offset = width(kv_head * group + part) * width(config.head_dim);
        const std::int32_t n_tokens = std::min(block, chunk.size() - first);
        const std::int32_t n_heads = std::min(heads_per_task, group - part);
        attention({.q = row_of(work_->q, first, q_width) + offset,
                   .q_stride = width(q_width),
                   .n_tokens = n_tokens,
                   .n_heads = n_heads,
                   .head_dim = config.head_dim,
                   .first_pos = chunk.first_pos + first,
                   .scale = 1.0f / std::sqrt(static_cast<float>(config.head_dim)),
                   .keys = chunk.cache.keys(layer, kv_head),
                   .values = chunk.cache.values(layer, kv_head),
                   .out = work_->heads.row(first) + offset,
                   .out_stride = width(q_width),
                   .scratch = work_->scratch[width(thread)].data()});
        for (std::int32_t t = first; t < first + n_tokens; ++t) {
            quantize({work_->heads, chunk.size(), chunk.precision},
                     t,
                     (kv_head * group + part) * config.head_dim,
                     n_heads * config.head_dim);
        }
    });
}

void Transformer::gated_ffn(const LayerWeights& weights, const Chunk& chunk) const noexcept {
    const std::int32_t n_ff = spec_.config.n_ff;
    const Product gate{
        weights.ffn_gate, work_->h, work_->gate.values.data(), chunk.size(), chunk.precision};
    const Product up{weights.ffn_up, work_->h, work_->up.data(), chunk.size(), chunk.precision};
    const std::int32_t rows = rows_per_task(n_ff);
    pool_->run(divide_up(n_ff, rows), [&](std::int32_t task, std::int32_t thread) {
        const std::int32_t first = task * rows;
        const std::int32_t n = std::min(rows, n_ff - first);
        multiply_rows(gate, first, n, thread);
        multiply_rows(up, first, n, thread);
        for (std::int32_t t = 0; t < chunk.size(); ++t) {
            kernels_.silu_mul(work_->gate.row(t) + first, row_of(work_->up, t, n_ff) + first, n);
            quantize({work_->gate, chunk.size(), chunk.precision}, t, first, n);
        }
    });
}

void Transformer::write_logits(const Chunk& chunk) const noexcept {
    const ModelConfig& config = spec_.config;
    const auto n_rows = static_cast<std::int32_t>(chunk.logits.size() / width(config.n_vocab));
    norm(row_of(work_->x, chunk.size() - n_rows, config.n_embd),
         weights_.output_norm,
         n_rows,
         Precision::kExact);
    multiply({weights_.output, work_->h, chunk.logits.data(), n_rows, Precision::kExact});
}

void Transformer::norm(const float* x,
                       const float* weight,
                       std::int32_t n_tokens,
                       Precision precision) const noexcept {
    const std::int32_t n = spec_.config.n_embd;
    constexpr std::int32_t kTokensPerTask = 16;
    pool_->run(divide_up(n_tokens, kTokensPerTask), [&](std::int32_t task, std::int32_t) {
        const std::int32_t last = std::min(n_tokens, (task + 1) * kTokensPerTask);
        for (std::int32_t t = task * kTokensPerTask; t < last; ++t) {
            kernels_.rms_norm(
                x + width(t) * width(n), weight, work_->h.row(t), n, spec_.config.rms_eps);
            quantize({work_->h, n_tokens, precision}, t, 0, n);
        }
    });
}

void Transformer::quantize(const Batch& batch,
                           std::int32_t token,
                           std::int32_t first,
                           std::int32_t n) const noexcept {
    if (!batch.tokens.has_packed) return;
    kernels_.packed[static_cast<std::size_t>(batch.precision)].quantize_token(
        batch.tokens.row(token) + first,
        n,
        batch.tokens.place(token, batch.n_tokens, first, batch.precision));
}

void Transformer::multiply(const Product& product) const noexcept {
    const std::int32_t n_rows = product.matrix.n_rows;
    const std::int32_t rows = rows_per_task(n_rows);
    pool_->run(divide_up(n_rows, rows), [&](std::int32_t task, std::int32_t thread) {
        multiply_rows(product, task * rows, std::min(rows, n_rows - task * rows), thread);
    });
}

void Transformer::multiply_rows(const Product& product,
                                std::int32_t first,
                                std::int32_t n,
                                std::int32_t thread) const noexcept {
    const Matrix& matrix = product.matrix;
    if (matrix.is_packed()) {
        matrix.packed[static_cast<std::size_t>(product.precision)](
            {.panels = matrix.row(first),
             .panel_bytes = quant::kPackRows * matrix.row_bytes,
             .n_rows = n,
             .n_cols = matrix.n_cols,
             .n_tokens = product.n_tokens,
             .store = product.store,
             .x = product.x.integers(),
             .out = product.out + first,
             .out_stride = width(matrix.n_rows)});
    } else {
        multiply_unpacked(product, first, n, thread);
    }
    if (matrix.bias == nullptr) return;
    for (std::int32_t t = 0; t < product.n_tokens; ++t) {
        float* out = product.out + width(t) * width(matrix.n_rows);
        for (std::int32_t row = first; row < first + n; ++row) out[row] += matrix.bias[row];
    }
}

void Transformer::multiply_unpacked(const Product& product,
                                    std::int32_t first,
                                    std::int32_t n,
                                    std::int32_t thread) const noexcept {
    const Matrix& matrix = product.matrix;
    matrix.matmul({.weights = matrix.row(first),
                   .row_bytes = matrix.row_bytes,
                   .decode = matrix.type->decode,
                   .n_rows = n,
                   .n_cols = matrix.n_cols,
                   .n_tokens = product.n_tokens,
                   .store = product.store,
                   .x = product.x.values.data(),
                   .x_stride = width(matrix.n_cols),
                   .out = product.out + first,
                   .out_stride = width(matrix.n_rows),
                   .scratch = work_->scratch[width(thread)].data()});
}

std::int32_t Transformer::rows_per_task(std::int32_t n_rows) const noexcept {
    constexpr std::int32_t kTasksPerThread =
        4;  // enough to even out unequal threads, few enough to be cheap
    constexpr std::int32_t kMultiple = 32;  // whole panels of weights and groups of columns
    return divide_up(divide_up(n_rows, pool_->size() * kTasksPerThread), kMultiple) * kMultiple;
}

}  // namespace notso::ml
