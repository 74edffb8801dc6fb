#include "ml/model/weight_plan.hpp"

#include <fmt/ranges.h>

#include "base/log.hpp"

namespace notso::ml {
namespace {

constexpr std::uint64_t kAlignment = 64;

}  // namespace

Result<WeightPlan> WeightPlan::make(const gguf::File& file,
                                    const ModelSpec& spec,
                                    Weights& weights) {
    WeightPlan plan(file);
    const ModelConfig& config = spec.config;
    weights.layers.resize(static_cast<std::size_t>(config.n_layers));
    for (std::int32_t i = 0; i < config.n_layers; ++i) {
        NOTSO_CHECK(plan.add_layer(i, config, weights.layers[static_cast<std::size_t>(i)]));
    }
    NOTSO_CHECK(plan.add_vector("output_norm.weight", config.n_embd, weights.output_norm));
    NOTSO_CHECK(
        plan.add_matrix("token_embd.weight", config.n_vocab, config.n_embd, weights.token_embd));
    if (file.find_tensor("output.weight") != nullptr) {
        NOTSO_CHECK(
            plan.add_matrix("output.weight", config.n_vocab, config.n_embd, weights.output));
    }
    if (file.find_tensor("rope_freqs.weight") != nullptr) {
        NOTSO_CHECK(plan.add_vector("rope_freqs.weight", config.n_rot / 2, weights.rope_divisors));
    }
    NOTSO_CHECK(plan.refuse_unknown());
    return plan;
}

Result<> WeightPlan::add_layer(std::int32_t index, const ModelConfig& config, LayerWeights& layer) {
    const auto name = [index](std::string_view part) {
        return fmt::format("blk.{}.{}.weight", index, part);
    };
    const std::int32_t q_rows = config.n_heads * config.head_dim;
    const std::int32_t kv_rows = config.n_kv_heads * config.head_dim;
    NOTSO_CHECK(add_vector(name("attn_norm"), config.n_embd, layer.attn_norm));
    NOTSO_CHECK(add_matrix(name("attn_q"), q_rows, config.n_embd, layer.attn_q));
    tensors_.back().order = RowOrder::kHalfSplit;
    NOTSO_CHECK(add_matrix(name("attn_k"), kv_rows, config.n_embd, layer.attn_k));
    tensors_.back().order = RowOrder::kHalfSplit;
    NOTSO_CHECK(add_matrix(name("attn_v"), kv_rows, config.n_embd, layer.attn_v));
    NOTSO_CHECK(add_matrix(name("attn_output"), config.n_embd, q_rows, layer.attn_output));
    NOTSO_CHECK(add_vector(name("ffn_norm"), config.n_embd, layer.ffn_norm));
    NOTSO_CHECK(add_matrix(name("ffn_gate"), config.n_ff, config.n_embd, layer.ffn_gate));
    NOTSO_CHECK(add_matrix(name("ffn_up"), config.n_ff, config.n_embd, layer.ffn_up));
    return add_matrix(name("ffn_down"), config.n_embd, config.n_ff, layer.ffn_down);
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
    planned.memory_bytes = planned.tensor->data.size();
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
                    "{}: tensor {} has type {}, which this program does not run; it runs {}",
                    file_->path().string(),
                    name,
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
    // A tensor that the forward pass would ignore (a bias, an expert) means wrong answers, not a
    // smaller model.
    for (const gguf::Tensor& tensor : file_->tensors()) {
        if (names_.contains(tensor.name)) continue;
        return fail(
            ErrorCode::kUnsupported,
            "{}: tensor {} at byte {} belongs to a kind of model that this program does not run",
            file_->path().string(),
            log::field(tensor.name),
            tensor.file_offset);
    }
    return {};
}

}  // namespace notso::ml
