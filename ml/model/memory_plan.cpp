#include "ml/model/memory_plan.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "ml/device/resources.hpp"
#include "ml/model/config.hpp"
#include "ml/model/weight_plan.hpp"
#include "ml/model/workspace.hpp"

namespace notso::ml {
namespace {

constexpr std::int32_t kDefaultContext = 8192;
constexpr std::int32_t kLeastContext = 128;  // less can't hold a question and its answer
constexpr double kKiB = 1024.0;

// Measured: what the program has in memory without a model, and what the tokenizer's tables take.
constexpr std::uint64_t kProgramBytes = std::uint64_t{15} << 20;
constexpr std::uint64_t kBytesPerToken = 40;
constexpr std::uint64_t kBytesPerMerge = 180;

std::uint64_t vocabulary_bytes(const gguf::File& file, const ModelConfig& config) {
    std::uint64_t n_merges = 0;
    if (const gguf::KeyValue* merges = file.find("tokenizer.ggml.merges")) {
        const auto* array = std::get_if<gguf::Array>(&merges->value);
        if (array != nullptr) n_merges = array->count;
    }
    return static_cast<std::uint64_t>(config.n_vocab) * kBytesPerToken + n_merges * kBytesPerMerge;
}

std::uint64_t buffer_bytes(const gguf::File& file,
                           const ModelConfig& config,
                           std::int32_t n_threads) {
    const std::uint64_t floats =  // a pass can run between two layers of another
        2 * Workspace::floats(config, choose_threads(n_threads, count_cores())) +
        static_cast<std::uint64_t>(config.n_vocab);  // one row of logits
    return floats * sizeof(float) + vocabulary_bytes(file, config) + kProgramBytes;
}

/// What a user can do about a request that needs too much.
std::string advice(const ModelConfig& config, const MemoryPlan& plan, std::uint64_t kv_budget) {
    std::string text;
    const auto offer = [&](KvType type, std::string_view flag) {
        const std::uint64_t fits =
            std::min<std::uint64_t>(kv_budget / kv_bytes_per_token(config, type),
                                    static_cast<std::uint64_t>(config.context_length));
        if (fits >= static_cast<std::uint64_t>(std::min(kLeastContext, config.context_length)))
            text += fmt::format("{}--ctx {} or less, or ", flag, fits);
    };
    offer(plan.kv_type, "");
    if (plan.kv_type != KvType::kQ8_0 && config.head_dim % kv_traits(KvType::kQ8_0).elements == 0)
        offer(KvType::kQ8_0, "--kv q8_0 with ");
    return text + "a smaller model";
}

}  // namespace

std::string MemoryPlan::to_string() const {
    const std::string context =
        pool_tokens() == context_length ? "" : fmt::format("; {} in a context", context_length);
    return fmt::format("weights {} + buffers {} + KV {} ({} tokens of {:.1f} KiB, {}{}) = {}",
                       mebibytes(weight_bytes),
                       mebibytes(buffer_bytes),
                       mebibytes(kv_bytes()),
                       pool_tokens(),
                       static_cast<double>(kv_bytes_per_token) / kKiB,
                       kv_traits(kv_type).name,
                       context,
                       mebibytes(total_bytes()));
}

std::uint64_t kv_bytes_per_token(const ModelConfig& config, KvType type) noexcept {
    constexpr std::uint64_t kKeysAndValues = 2;
    return kKeysAndValues * static_cast<std::uint64_t>(config.n_layers) *
           static_cast<std::uint64_t>(config.n_kv_heads) * kv_row_bytes(type, config.head_dim);
}

Result<MemoryPlan> estimate_memory(const gguf::File& file,
                                   const ModelSpec& spec,
                                   const MemoryRequest& request) {
    const ModelConfig& config = spec.config;
    if (request.context_length < 0 || request.context_length > config.context_length) {
        return fail(ErrorCode::kInvalidArgument,
                    "{}: a context of {} tokens was asked for, this model was trained for {}: use "
                    "--ctx {} or less",
                    file.path().string(),
                    request.context_length,
                    config.context_length,
                    config.context_length);
    }
    const KvTraits& traits = kv_traits(request.kv_type);
    if (config.head_dim % traits.elements != 0) {
        return fail(
            ErrorCode::kUnsupported,
            "{}: its heads have {} dimensions, --kv {} needs a multiple of {}: use --kv f16",
            file.path().string(),
            config.head_dim,
            traits.name,
            traits.elements);
    }
    Weights weights;
    NOTSO_TRY(const WeightPlan tensors, WeightPlan::make(file, spec, weights));
    MemoryPlan plan;
    plan.weight_bytes = WeightMemory::whole_pages(tensors.total_bytes());
    plan.buffer_bytes = buffer_bytes(file, config, request.n_threads);
    plan.kv_type = request.kv_type;
    plan.kv_bytes_per_token = kv_bytes_per_token(config, request.kv_type);
    plan.context_length = request.context_length != 0
                              ? request.context_length
                              : std::min(config.context_length, kDefaultContext);
    return plan;
}

Result<MemoryPlan> fit_memory(const MemoryPlan& estimate,
                              const ModelConfig& config,
                              const MemoryRequest& request,
                              std::uint64_t available_bytes) {
    const std::uint64_t fixed = estimate.weight_bytes + estimate.buffer_bytes;
    const std::uint64_t left = available_bytes - std::min(available_bytes, fixed);
    MemoryPlan plan = estimate;
    if (request.context_length == 0) {
        const std::uint64_t most =
            request.kv_budget_bytes != 0 ? request.kv_budget_bytes : left / 2;
        const auto fits = std::min<std::uint64_t>(most / plan.kv_bytes_per_token,
                                                  static_cast<std::uint64_t>(plan.context_length));
        const auto least = std::min(kLeastContext, config.context_length);
        plan.context_length = std::max(least, static_cast<std::int32_t>(fits));
    }
    const std::uint64_t one =
        plan.kv_bytes_per_token * static_cast<std::uint64_t>(plan.context_length);
    if (request.kv_budget_bytes != 0 && request.kv_budget_bytes < one) {
        return fail(ErrorCode::kInvalidArgument,
                    "keys and values of a context of {} tokens take {}, but may take {}: use a "
                    "larger --kv-memory or a smaller --ctx",
                    plan.context_length,
                    mebibytes(one),
                    mebibytes(request.kv_budget_bytes));
    }
    plan.kv_budget_bytes =
        request.kv_budget_bytes != 0
            ? request.kv_budget_bytes
            : std::clamp(left / 4, one, static_cast<std::uint64_t>(request.max_contexts) * one);
    if (fixed <= available_bytes && plan.kv_bytes() <= left) return plan;
    return fail(ErrorCode::kOutOfMemory,
                "needs {}; {} are available: use {}",
                plan.to_string(),
                mebibytes(available_bytes),
                advice(config, plan, left));
}

}  // namespace notso::ml
