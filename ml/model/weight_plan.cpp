#include "ml/model/weight_plan.hpp"

#include <fmt/ranges.h>

#include "base/log.hpp"
#include "ml/model/registry.hpp"
#include "ml/quant/pack.hpp"

namespace notso::ml {
namespace {

constexpr std::uint64_t kAlignment = 64;

}  // namespace

/// One matrix of a layer, and its bias.
struct WeightPlan::Linear {
    std::string_view part;
    Presence bias;
    std::int32_t rows;
    std::int32_t cols;
    Matrix& matrix;
    RowOrder order = RowOrder::kAsStored;
};

Result<WeightPlan> WeightPlan::make(const gguf::File& file,
                                    const ModelSpec& spec,
                                    Weights& weights) {
    WeightPlan plan(file, spec);
    const ModelConfig& config = spec.config;
    weights.layers.resize(static_cast<std::size_t>(config.n_layers));
    for (std::int32_t i = 0; i < config.n_layers; ++i) {
        NOTSO_CHECK(plan.add_layer(i, weights.layers[static_cast<std::size_t>(i)]));
    }
    NOTSO_CHECK(plan.add_vector("output_norm.weight", config.n_embd, weights.output_norm));
    NOTSO_CHECK(
        plan.add_matrix("token_embd.weight", config.n_vocab, config.n_embd, weights.token_embd));
    if (plan.wanted(Presence::kMaybe, "output.weight")) {
        NOTSO_CHECK(
            plan.add_matrix("output.weight", config.n_vocab, config.n_embd, weights.output));
    }
    if (plan.wanted(Presence::kMaybe, "rope_freqs.weight")) {
        NOTSO_CHECK(plan.add_vector("rope_freqs.weight", config.n_rot / 2, weights.rope_divisors));
    }
    NOTSO_CHECK(plan.refuse_unknown());
    return plan;
}

Result<> WeightPlan::add_layer(std::int32_t index, LayerWeights& layer) {
    const Architecture& kind = *spec_->architecture;
    const ModelConfig& config = spec_->config;
    const std::string block = fmt::format("blk.{}.", index);
    const std::int32_t n_embd = config.n_embd;
    const std::int32_t q_rows = config.n_heads * config.head_dim;
    const std::int32_t kv_rows = config.n_kv_heads * config.head_dim;
    const RowOrder rotated =
        kind.stored_pairs == RopePairs::kInterleaved ? RowOrder::kHalfSplit : RowOrder::kAsStored;
    const Linear linears[] = {
        {"attn_q", kind.qkv_bias, q_rows, n_embd, layer.attn_q, rotated},
        {"attn_k", kind.qkv_bias, kv_rows, n_embd, layer.attn_k, rotated},
        {"attn_v", kind.qkv_bias, kv_rows, n_embd, layer.attn_v},
        {"attn_output", kind.output_bias, n_embd, q_rows, layer.attn_output},
        {"ffn_gate", kind.ffn_bias, config.n_ff, n_embd, layer.ffn_gate},
        {"ffn_up", kind.ffn_bias, config.n_ff, n_embd, layer.ffn_up},
        {"ffn_down", kind.ffn_bias, n_embd, config.n_ff, layer.ffn_down},
    };
    NOTSO_CHECK(add_vector(block + "attn_norm.weight", n_embd, layer.attn_norm));
    for (const Linear& linear : linears) NOTSO_CHECK(add_linear(block, linear));
    const std::string q_norm = block + "attn_q_norm.weight";
    const std::string k_norm = block + "attn_k_norm.weight";
    if (wanted(kind.qk_norm, q_norm))
        NOTSO_CHECK(add_vector(q_norm, config.head_dim, layer.attn_q_norm));
    if (wanted(kind.qk_norm, k_norm))
        NOTSO_CHECK(add_vector(k_norm, config.head_dim, layer.attn_k_norm));
    return add_vector(block + "ffn_norm.weight", n_embd, layer.ffn_norm);
}

Result<> WeightPlan::add_linear(const std::string& block, const Linear& linear) {
    const std::string name = block + std::string(linear.part);
    NOTSO_CHECK(add_matrix(name + ".weight", linear.rows, linear.cols, linear.matrix));
    tensors_.back().order = linear.order;
    if (!wanted(linear.bias, name + ".bias")) return {};
    NOTSO_CHECK(add_vector(name + ".bias", linear.rows, linear.matrix.bias));
    tensors_.back().order = linear.order;
    return {};
}

bool WeightPlan::wanted(Presence presence, const std::string& name) const {
    return presence == Presence::kAlways ||
           (presence == Presence::kMaybe && file_->find_tensor(name) != nullptr);
}

Result<> WeightPlan::add_matrix(const std::string& name,
                                std::int32_t rows,
                                std::int32_t cols,
                                Matrix& matrix) {
    NOTSO_TRY(PlannedTensor planned,
              find(name, {static_cast<std::uint64_t>(cols), static_cast<std::uint64_t>(rows)}));
    matrix.type = planned.type;
    matrix.n_rows = rows;
    matrix.n_cols = cols;
    matrix.row_bytes =
        static_cast<std::size_t>(cols) / planned.type->elements * planned.type->bytes;
    planned.matrix = &matrix;
    const auto panels =
        (static_cast<std::uint64_t>(rows) + quant::kPackRows - 1) / quant::kPackRows;
    planned.memory_bytes = panels * quant::kPackRows * matrix.row_bytes;
    place(planned);
    return {};
}

Result<> WeightPlan::add_vector(const std::string& name, std::int32_t size, const float*& vector) {
    NOTSO_TRY(PlannedTensor planned, find(name, {static_cast<std::uint64_t>(size)}));
    planned.vector = &vector;
    planned.memory_bytes = static_cast<std::uint64_t>(size) * sizeof(float);
    place(planned);
    return {};
}

Result<PlannedTensor> WeightPlan::find(const std::string& name,
                                       const std::vector<std::uint64_t>& shape) {
    const gguf::Tensor* tensor = file_->find_tensor(name);
    if (tensor == nullptr) {
        return fail(
            ErrorCode::kCorruptData, "{}: tensor {} is missing", file_->path().string(), name);
    }
    if (tensor->shape != shape) {
        return fail(
            ErrorCode::kCorruptData,
            "{}: tensor {} at byte {} has shape [{}], but the keys of the file ask for [{}]",
            file_->path().string(),
            name,
            tensor->file_offset,
            fmt::join(tensor->shape, ", "),
            fmt::join(shape, ", "));
    }
    const quant::TypeTraits* type = quant::find_type(tensor->type);
    if (type == nullptr) {
        const auto layout = gguf::block_layout(tensor->type);
        return fail(ErrorCode::kUnsupported,
                    "{}: tensor {} at byte {} has type {}, which this program does not run; it "
                    "runs {}",
                    file_->path().string(),
                    name,
                    tensor->file_offset,
                    layout ? layout->name : "?",
                    quant::runnable_type_names());
    }
    names_.insert(name);
    PlannedTensor planned;
    planned.tensor = tensor;
    planned.type = type;
    return planned;
}

void WeightPlan::place(PlannedTensor planned) {
    planned.memory_offset = total_bytes_;
    total_bytes_ += (planned.memory_bytes + kAlignment - 1) / kAlignment * kAlignment;
    tensors_.push_back(planned);
}

Result<> WeightPlan::refuse_unknown() const {
    // A tensor that the forward pass would ignore (an expert, a bias that the family does not have)
    // means wrong answers, not a smaller model.
    for (const gguf::Tensor& tensor : file_->tensors()) {
        if (names_.contains(tensor.name)) continue;
        return fail(ErrorCode::kUnsupported,
                    "{}: tensor {} at byte {} belongs to a kind of {} model that this program does "
                    "not run; it runs dense models of {}",
                    file_->path().string(),
                    log::field(tensor.name),
                    tensor.file_offset,
                    spec_->architecture->name,
                    architecture_names());
    }
    return {};
}

}  // namespace notso::ml
