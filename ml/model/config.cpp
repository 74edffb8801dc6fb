#include "ml/model/config.hpp"

#include <array>
#include <cmath>

#include "ml/model/key_reader.hpp"
#include "ml/model/registry.hpp"
#include "ml/model/rope_keys.hpp"

namespace notso::ml {
namespace {

constexpr std::int32_t kMaxLayers = 1024;
constexpr std::int32_t kMaxHidden = 1 << 17;
constexpr std::int32_t kMaxFfn = 1 << 20;
constexpr std::int32_t kMaxHeads = 1024;
constexpr std::int32_t kMaxHeadDim = 1024;
constexpr std::int32_t kMaxContext = 1 << 26;
constexpr double kSmallestEps = 1e-12;

Result<> check_heads(const gguf::File& file, const KeyReader& keys, const ModelConfig& config) {
    if (config.n_heads % config.n_kv_heads != 0) {
        return fail(ErrorCode::kCorruptData,
                    "{}: {} is {}, which is no multiple of {} = {}",
                    file.path().string(),
                    keys.label("attention.head_count"),
                    config.n_heads,
                    keys.name("attention.head_count_kv"),
                    config.n_kv_heads);
    }
    if (config.head_dim % 2 != 0 || config.n_rot % 2 != 0 || config.n_rot > config.head_dim) {
        return fail(ErrorCode::kCorruptData,
                    "{}: {} rotated dimensions ({}) of {} per head ({}): both must be even, and "
                    "the first not larger",
                    file.path().string(),
                    config.n_rot,
                    keys.label("rope.dimension_count"),
                    config.head_dim,
                    keys.label("attention.key_length"));
    }
    return {};
}

Result<> read_heads(const gguf::File& file, const KeyReader& keys, ModelConfig& config) {
    NOTSO_TRY(config.n_heads, keys.integer("attention.head_count", 1, kMaxHeads));
    NOTSO_TRY(config.n_kv_heads,
              keys.integer("attention.head_count_kv", 1, kMaxHeads, config.n_heads));
    std::optional<std::int32_t> head_dim;
    if (config.n_embd % config.n_heads == 0) head_dim = config.n_embd / config.n_heads;
    NOTSO_TRY(config.head_dim, keys.integer("attention.key_length", 2, kMaxHeadDim, head_dim));
    NOTSO_TRY(const std::int32_t value_dim,
              keys.integer("attention.value_length", 1, kMaxHeadDim, config.head_dim));
    if (value_dim != config.head_dim) {
        return fail(ErrorCode::kUnsupported,
                    "{}: {} and {} differ ({} and {}), which this program does not run",
                    file.path().string(),
                    keys.label("attention.key_length"),
                    keys.label("attention.value_length"),
                    config.head_dim,
                    value_dim);
    }
    NOTSO_TRY(config.n_rot, keys.integer("rope.dimension_count", 2, kMaxHeadDim, config.head_dim));
    return check_heads(file, keys, config);
}

/// general.file_type as people write it.
std::string file_type_name(std::uint64_t number) {
    constexpr std::array<std::string_view, 19> kNames = {"F32",
                                                         "F16",
                                                         "Q4_0",
                                                         "Q4_1",
                                                         "",
                                                         "",
                                                         "",
                                                         "Q8_0",
                                                         "Q5_0",
                                                         "Q5_1",
                                                         "Q2_K",
                                                         "Q3_K_S",
                                                         "Q3_K_M",
                                                         "Q3_K_L",
                                                         "Q4_K_S",
                                                         "Q4_K_M",
                                                         "Q5_K_S",
                                                         "Q5_K_M",
                                                         "Q6_K"};
    constexpr std::uint64_t kBf16 = 32;
    if (number == kBf16) return "BF16";
    return number < kNames.size() ? std::string(kNames[number]) : std::string();
}

/// The type that most of the file's bytes have.
std::string commonest_type(const gguf::File& file) {
    std::map<gguf::TensorType, std::uint64_t> bytes;
    for (const gguf::Tensor& tensor : file.tensors()) bytes[tensor.type] += tensor.data.size();
    const auto most =
        std::max_element(bytes.begin(), bytes.end(), [](const auto& a, const auto& b) {
            return a.second < b.second;
        });
    if (most == bytes.end()) return {};
    const auto layout = gguf::block_layout(most->first);
    return layout ? std::string(layout->name) : std::string();
}

Result<> read_general(const gguf::File& file, ModelConfig& config) {
    NOTSO_TRY(const auto name, file.get_string("general.name"));
    config.name = name && !name->empty() ? std::string(*name) : file.path().stem().string();
    NOTSO_TRY(const auto type, file.get_uint("general.file_type"));
    if (type) config.file_type = file_type_name(*type);
    if (config.file_type.empty()) config.file_type = commonest_type(file);
    for (const gguf::Tensor& tensor : file.tensors()) {
        std::uint64_t elements = 1;
        for (const std::uint64_t dim : tensor.shape) elements *= dim;
        config.n_parameters += elements;
        config.weight_bytes += tensor.data.size();
    }
    return {};
}

/// Rows of the embedding; the key, where there is one, must agree.
Result<std::int32_t> read_vocab(const gguf::File& file, const KeyReader& keys) {
    const gguf::Tensor* embedding = file.find_tensor("token_embd.weight");
    if (embedding == nullptr) {
        return fail(ErrorCode::kCorruptData,
                    "{}: tensor token_embd.weight is missing",
                    file.path().string());
    }
    if (embedding->shape.size() != 2) {
        return fail(ErrorCode::kCorruptData,
                    "{}: tensor token_embd.weight at byte {} has {} dimensions, but must have 2",
                    file.path().string(),
                    embedding->file_offset,
                    embedding->shape.size());
    }
    const std::uint64_t rows = embedding->shape[1];
    constexpr std::uint64_t kMaxVocab = 1 << 24;
    if (rows == 0 || rows > kMaxVocab) {
        return fail(ErrorCode::kCorruptData,
                    "{}: tensor token_embd.weight at byte {} has {} rows, but must have between 1 "
                    "and {}",
                    file.path().string(),
                    embedding->file_offset,
                    rows,
                    kMaxVocab);
    }
    NOTSO_TRY(const auto stated, file.get_uint(keys.name("vocab_size")));
    if (stated && *stated != rows) {
        return fail(ErrorCode::kCorruptData,
                    "{}: {} is {}, but token_embd.weight has {} rows",
                    file.path().string(),
                    keys.label("vocab_size"),
                    *stated,
                    rows);
    }
    return static_cast<std::int32_t>(rows);
}

/// One file of several has some of the tensors only.
Result<> refuse_parts(const gguf::File& file) {
    NOTSO_TRY(const auto parts, file.get_uint("split.count"));
    if (parts.value_or(1) <= 1) return {};
    return fail(ErrorCode::kUnsupported,
                "{}: {} is {}: the model is cut into files; merge them into one "
                "(llama-gguf-split --merge does)",
                file.path().string(),
                gguf::key_label(file, "split.count"),
                *parts);
}

/// Keys of relatives of these architectures (Granite, Gemma, Grok, mixtures of experts, …) that
/// change what a model computes. Ignoring one would mean wrong answers, so only the value that
/// changes nothing passes. `rope.dimension_sections` is not among them: all parts of a text's
/// position are equal.
struct NeutralKey {
    std::string_view key;
    double harmless;
};
constexpr NeutralKey kNeutralKeys[] = {
    {"expert_count", 0},
    {"nextn_predict_layers", 0},
    {"attn_logit_softcapping", 0},
    {"final_logit_softcapping", 0},
    {"logit_scale", 1},
    {"residual_scale", 1},
    {"embedding_scale", 1},
    {"use_parallel_residual", 0},
    {"attention.causal", 1},
    {"attention.clamp_kqv", 0},
    {"attention.max_alibi_bias", 0},
    {"attention.output_scale", 1},
    {"attention.shared_kv_layers", 0},
    {"attention.temperature_length", 0},
};

Result<> refuse_other_maths(const KeyReader& keys, const ModelConfig& config) {
    for (const NeutralKey& row : kNeutralKeys) NOTSO_CHECK(keys.neutral(row.key, row.harmless));
    // Windows at least as long as the context hide nothing; 0 is how some files write "none".
    NOTSO_TRY(const std::int32_t window,
              keys.integer("attention.sliding_window", 0, kMaxContext, 0));
    if (window != 0 && window < config.context_length) {
        return fail(ErrorCode::kUnsupported,
                    "{}: {} is {}, less than the context of {}; this program only runs models "
                    "without a window",
                    keys.file().path().string(),
                    keys.label("attention.sliding_window"),
                    window,
                    config.context_length);
    }
    constexpr double kTolerance = 1e-5;
    const double usual = 1 / std::sqrt(config.head_dim);
    NOTSO_TRY(const double scale, keys.number("attention.scale", 0, 1e6, 0.0));
    if (scale != 0 && std::abs(scale / usual - 1) > kTolerance) {
        return fail(ErrorCode::kUnsupported,
                    "{}: {} is {}; this program only runs models with 1/√({}) = {:g}",
                    keys.file().path().string(),
                    keys.label("attention.scale"),
                    scale,
                    config.head_dim,
                    usual);
    }
    return {};
}

}  // namespace

Result<ModelSpec> read_spec(const gguf::File& file) {
    NOTSO_TRY(const auto name, file.get_string("general.architecture"));
    if (!name) {
        return fail(ErrorCode::kCorruptData,
                    "{}: key general.architecture is missing",
                    file.path().string());
    }
    NOTSO_CHECK(refuse_parts(file));
    ModelSpec spec;
    const auto architecture = find_architecture(*name);
    if (!architecture) {
        return fail(architecture.error().code,
                    "{}: {}: {}",
                    file.path().string(),
                    gguf::key_label(file, "general.architecture"),
                    architecture.error().detail);
    }
    spec.architecture = *architecture;
    ModelConfig& config = spec.config;
    config.architecture = *name;
    NOTSO_CHECK(read_general(file, config));
    const KeyReader keys(file, spec.architecture->name);
    NOTSO_TRY(config.n_layers, keys.integer("block_count", 1, kMaxLayers));
    NOTSO_TRY(config.n_embd, keys.integer("embedding_length", 1, kMaxHidden));
    NOTSO_TRY(config.n_ff, keys.integer("feed_forward_length", 1, kMaxFfn));
    NOTSO_TRY(config.context_length, keys.integer("context_length", 1, kMaxContext));
    NOTSO_CHECK(read_heads(file, keys, config));
    NOTSO_CHECK(refuse_other_maths(keys, config));
    NOTSO_TRY(const double eps, keys.number("attention.layer_norm_rms_epsilon", kSmallestEps, 1.0));
    NOTSO_TRY(spec.rope, read_rope(keys, config));
    NOTSO_TRY(config.n_vocab, read_vocab(file, keys));
    config.rms_eps = static_cast<float>(eps);
    config.rope_base = static_cast<float>(spec.rope.base);
    return spec;
}

}  // namespace notso::ml
