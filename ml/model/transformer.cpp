#include "ml/model/transformer.hpp"

#include <algorithm>
#include <vector>

#include "base/assert.hpp"
#include "ml/kernels/generic/table.hpp"

namespace notso::ml {
namespace {

constexpr std::int32_t kTokensPerAttention = 8;

/// Of the products that make logits, whatever the tokens' precision.
TokenRuns all_exact(std::int32_t n_tokens) { return {.n_exact = n_tokens, .n_fast = 0}; }

}  // namespace

Transformer::Transformer(ModelSpec spec,
                         Weights weights,
                         const kernels::KernelTable& kernels,
                         std::int32_t n_threads)
    : spec_(std::move(spec)),
      weights_(std::move(weights)),
      kernels_(kernels),
      pool_(std::make_unique<ThreadPool>(n_threads)) {
    const bool whole_vectors = spec_.config.head_dim % kernels::kHeadDimMultiple == 0;
    kv_kernels_ = whole_vectors ? kernels_.kv : kernels::generic_table().kv;
    std::span<const float> divisors;
    if (weights_.rope_divisors != nullptr)
        divisors = {weights_.rope_divisors, extent(spec_.config.n_rot / 2)};
    rope_ = RopeTable(spec_.rope, divisors);
    for (auto& lane : lanes_) {
        lane = std::make_unique<Lane>(spec_.config, kernels_, *pool_);
        note_readers(lane->work);
    }
}

Transformer::Lane::Lane(const ModelConfig& config,
                        const kernels::KernelTable& kernels,
                        ThreadPool& pool)
    : work(config, kernels.tiles, pool.size()), products(kernels, work, pool) {}

void Transformer::note_readers(Workspace& work) const {
    const auto read = [this](TokenBuffer& tokens, const Matrix& reader) {
        (reader.is_packed() ? tokens.has_packed : tokens.has_unpacked) = true;
        if (reader.is_packed() && reader.type->elements < kernels::kTokenBlock)
            tokens.tiles = kernels_.tiles_of_short_blocks;
    };
    read(work.h, weights_.output);
    for (const LayerWeights& layer : weights_.layers) {
        for (const Matrix* reader :
             {&layer.attn_q, &layer.attn_k, &layer.attn_v, &layer.ffn_gate, &layer.ffn_up})
            read(work.h, *reader);
        read(work.heads, layer.attn_output);
        read(work.gate, layer.ffn_down);
    }
}

Transformer::~Transformer() = default;

void Transformer::be_quiet(bool quiet) const noexcept {
    pool_->use(quiet ? std::max(pool_->size() / 2, 1) : pool_->size());
}

void Transformer::run_tasks(std::int32_t n_tasks,
                            const std::function<void(std::int32_t)>& task) const noexcept {
    pool_->run(n_tasks, [&](std::int32_t i, std::int32_t) { task(i); });
}

Result<> Transformer::check(const Segment& segment) const {
    const auto& [tokens, cache, logits, precision] = segment;
    const ModelConfig& config = spec_.config;
    const std::size_t room = extent(cache.capacity() - cache.size());
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
    if (logits.size() % extent(config.n_vocab) != 0 ||
        logits.size() / extent(config.n_vocab) > tokens.size()) {
        return fail(ErrorCode::kInvalidArgument,
                    "{} logits are no whole rows of {} for at most {} tokens",
                    logits.size(),
                    config.n_vocab,
                    tokens.size());
    }
    return {};
}

/// The buffers of one lane, for as long as a computation runs.
class Transformer::LaneTurn {
  public:
    explicit LaneTurn(const Transformer& owner) : owner_(owner) { ++owner_.n_running_; }
    ~LaneTurn() { --owner_.n_running_; }
    LaneTurn(const LaneTurn&) = delete;
    LaneTurn& operator=(const LaneTurn&) = delete;

  private:
    const Transformer& owner_;
};

Result<> Transformer::forward(std::span<const Segment> segments,
                              const BetweenLayers& between) const {
    for (const Segment& segment : segments) NOTSO_CHECK(check(segment));
    NOTSO_CHECK(check_caches_differ(segments));
    NOTSO_ASSERT(n_running_ < lanes_.size(), "only one computation runs between two layers");
    const LaneTurn turn(*this);
    Chunk& chunk = lanes_[n_running_ - 1]->chunk;
    ChunkCutter cutter(segments, spec_.config.n_vocab);
    std::vector<std::int32_t> sizes;
    for (const Segment& segment : segments) sizes.push_back(segment.cache.size());
    while (cutter.next(chunk)) {
        if (!run_chunk(chunk, between)) {
            for (std::size_t i = 0; i < sizes.size(); ++i) segments[i].cache.truncate(sizes[i]);
            return fail(ErrorCode::kCancelled, "the forward pass was ended between two layers");
        }
        for (const ChunkPart& part : chunk.parts) part.cache->advance(part.size());
    }
    return {};
}

bool Transformer::run_chunk(Chunk& chunk, const BetweenLayers& between) const {
    embed(chunk);
    const std::int32_t tokens_per_block = kernels::kAttentionQueries / heads_per_task(chunk);
    chunk.cut_attention(std::min(kTokensPerAttention, tokens_per_block));
    for (std::int32_t layer = 0; layer < spec_.config.n_layers; ++layer) {
        run_layer(layer, chunk);
        if (between && !between()) return false;
    }
    if (!chunk.logits.empty()) write_logits(chunk);
    return true;
}

void Transformer::run_layer(std::int32_t layer, const Chunk& chunk) const noexcept {
    const LayerWeights& weights = weights_.layers[extent(layer)];
    const Workspace& w = work();
    norm(weights.attn_norm, chunk.runs, chunk.runs.exactly());
    project_qkv(layer, chunk);
    attend(layer, chunk);
    constexpr auto kAdd = kernels::Store::kAdd;
    products().multiply({weights.attn_output, w.heads, chunk.runs, w.x.data(), kAdd},
                        &weights.ffn_gate);
    norm(weights.ffn_norm, chunk.runs, {});
    gated_ffn(weights, chunk.runs);
    const bool is_last = layer + 1 == spec_.config.n_layers;
    const Matrix& next = is_last ? weights_.output : weights_.layers[extent(layer) + 1].attn_k;
    products().multiply({weights.ffn_down, w.gate, chunk.runs, w.x.data(), kAdd}, &next);
}

void Transformer::embed(const Chunk& chunk) const noexcept {
    const Matrix& table = weights_.token_embd;
    auto* scratch = reinterpret_cast<std::byte*>(work().scratch.front().data());
    for (const ChunkPart& part : chunk.parts) {
        for (std::int32_t t = 0; t < part.size(); ++t) {
            const std::int32_t row = part.first_row + t;
            table.decode_row(
                to_int(part.tokens[extent(t)]), scratch, row_of(work().x, row, table.n_cols));
            rope_.write(part.first_pos + t, row_of(work().cos_sin, row, spec_.config.n_rot));
        }
    }
}

void Transformer::norm(const float* weight,
                       const TokenRuns& runs,
                       const TokenRuns& more_runs) const noexcept {
    const std::int32_t n = spec_.config.n_embd;
    for_each_tokens(runs.size(), [&](IndexRange rows) {
        const std::int32_t end = rows.first + rows.n;
        for (std::int32_t t = rows.first; t < end; ++t) {
            kernels_.rms_norm(
                row_of(work().x, t, n), weight, work().h.row(t), n, spec_.config.rms_eps);
        }
        products().quantize(work().h, runs, rows);
        const std::int32_t first_more = std::max(rows.first, runs.size() - more_runs.n_fast);
        products().quantize(work().h, more_runs, {first_more, end - first_more});
    });
}

void Transformer::gated_ffn(const LayerWeights& weights, const TokenRuns& runs) const noexcept {
    const std::int32_t n_ff = spec_.config.n_ff;
    const Product gate{weights.ffn_gate, work().h, runs, nullptr};
    const Product up{weights.ffn_up, work().h, runs, nullptr};
    // Fast integers are made of whole blocks. What a task makes stays in its thread's cache.
    const RowTasks tasks = products().split(
        n_ff, runs.n_fast > 0 ? kernels::kTokenBlock : kRowMultiple, kStageFloats / runs.size());
    pool_->run(tasks.size(), [&](std::int32_t task, std::int32_t thread) {
        const IndexRange range = tasks[task];
        float* gates = work().stage[extent(thread)].data();
        float* ups = gates + kStageFloats;
        const ProductOut gate_out{gates, extent(range.n)};
        const ProductOut up_out{ups, extent(range.n)};
        const auto* next =
            products().after({task, thread}, tasks, weights.ffn_gate, &weights.ffn_down);
        products().multiply_rows(gate, {range, weights.ffn_up.row(range.first)}, gate_out, thread);
        products().multiply_rows(up, {range, next}, up_out, thread);
        for (std::int32_t t = 0; t < runs.size(); ++t, gates += range.n, ups += range.n) {
            kernels_.silu_mul(gates, ups, range.n);
            products().put({work().gate, runs, t, range}, gates);
        }
    });
}

void Transformer::write_logits(const Chunk& chunk) const noexcept {
    const ModelConfig& config = spec_.config;
    const auto n_tokens = static_cast<std::int32_t>(chunk.logits.size());
    for (std::int32_t i = 0; i < n_tokens; ++i) {  // to the first rows; x is not needed any more
        const std::int32_t row = chunk.logits[extent(i)].row;
        const float* x = row_of(work().x, row, config.n_embd);
        if (row != i) std::copy_n(x, config.n_embd, row_of(work().x, i, config.n_embd));
    }
    norm(weights_.output_norm, all_exact(n_tokens), {});
    const Product product{weights_.output, work().h, all_exact(n_tokens), nullptr};
    // A product has one place to go to, rows of logits have many.
    const RowTasks tasks = products().split(config.n_vocab, kRowMultiple, kStageFloats / n_tokens);
    pool_->run(tasks.size(), [&](std::int32_t task, std::int32_t thread) {
        const IndexRange range = tasks[task];
        float* stage = work().stage[extent(thread)].data();
        const auto* next = products().after({task, thread}, tasks, weights_.output, nullptr);
        products().multiply_rows(product, {range, next}, {stage, extent(range.n)}, thread);
        for (const LogitsRow& row : chunk.logits) {
            std::copy_n(stage, range.n, row.out + range.first);
            stage += range.n;
        }
    });
}

}  // namespace notso::ml
