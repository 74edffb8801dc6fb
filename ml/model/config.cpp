#include "ml/model/config.hpp"

#include <array>
#include <cmath>

#include "base/log.hpp"
#include "ml/model/registry.hpp"

namespace notso::ml {
namespace {

/// Reads keys below the architecture's name and names them in full in every message.
class KeyReader {
  public:
    KeyReader(const gguf::File& file, std::string_view architecture)
        : file_(file), prefix_(architecture) {}

    std::string name(std::string_view key) const { return fmt::format("{}.{}", prefix_, key); }

    /// A whole number in [low, high]; `fallback` when the key is absent, or an error where there is
    /// none.
    Result<std::int32_t> integer(std::string_view key,
                                 std::int32_t low,
                                 std::int32_t high,
                                 std::optional<std::int32_t> fallback = std::nullopt) const {
        NOTSO_TRY(const auto value, file_.get_uint(name(key)));
        if (!value && fallback) return *fallback;
        if (!value) return missing(key);
        if (*value < static_cast<std::uint64_t>(low) || *value > static_cast<std::uint64_t>(high)) {
            return fail(ErrorCode::kCorruptData,
                        "{}: key {} is {}, but must be between {} and {}",
                        file_.path().string(),
                        name(key),
                        *value,
                        low,
                        high);
        }
        return static_cast<std::int32_t>(*value);
    }

    /// A finite number in [low, high].
    Result<double> number(std::string_view key,
                          double low,
                          double high,
                          std::optional<double> fallback = std::nullopt) const {
        NOTSO_TRY(const auto value, file_.get_float(name(key)));
        if (!value && fallback) return *fallback;
        if (!value) return missing(key);
        if (!(*value >= low && *value <= high)) {  // also refuses NaN
            return fail(ErrorCode::kCorruptData,
                        "{}: key {} is {}, but must be between {} and {}",
                        file_.path().string(),
                        name(key),
                        *value,
                        low,
                        high);
        }
        return *value;
    }

    /// Fails when a key is there with another value than the one that changes nothing.
    Result<> neutral(std::string_view key, double harmless) const {
        NOTSO_TRY(const auto value, file_.get_float(name(key)));
        return !value || *value == harmless ? Result<>{} : refuse(key, *value, harmless);
    }
    Result<> absent_or_zero(std::string_view key) const {
        NOTSO_TRY(const auto value, file_.get_uint(name(key)));
        return value.value_or(0) == 0 ? Result<>{} : refuse(key, *value, std::uint64_t{0});
    }

  private:
    std::unexpected<Error> missing(std::string_view key) const {
        return fail(
            ErrorCode::kCorruptData, "{}: key {} is missing", file_.path().string(), name(key));
    }

    template <class Number>
    std::unexpected<Error> refuse(std::string_view key, Number value, Number harmless) const {
        return fail(ErrorCode::kUnsupported,
                    "{}: key {} is {}; this program only runs models with {}",
                    file_.path().string(),
                    name(key),
                    value,
                    harmless);
    }

    const gguf::File& file_;
    std::string_view prefix_;
};

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
                    "{}: key {} is {}, which is no multiple of {} = {}",
                    file.path().string(),
                    keys.name("attention.head_count"),
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
                    keys.name("rope.dimension_count"),
                    config.head_dim,
                    keys.name("attention.key_length"));
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
                    "{}: keys {} and {} differ ({} and {}), which this program does not run",
                    file.path().string(),
                    keys.name("attention.key_length"),
                    keys.name("attention.value_length"),
                    config.head_dim,
                    value_dim);
    }
    NOTSO_TRY(config.n_rot, keys.integer("rope.dimension_count", 2, kMaxHeadDim, config.head_dim));
    return check_heads(file, keys, config);
}

Result<RopeScaling> read_scaling_kind(const gguf::File& file, const KeyReader& keys) {
    NOTSO_TRY(const auto kind, file.get_string(keys.name("rope.scaling.type")));
    if (!kind || *kind == "none") return RopeScaling::kNone;
    if (*kind == "linear") return RopeScaling::kLinear;
    if (*kind == "yarn") return RopeScaling::kYarn;
    return fail(ErrorCode::kUnsupported,
                "{}: key {} is {}, which this program does not run; it runs none, linear, yarn",
                file.path().string(),
                keys.name("rope.scaling.type"),
                log::field(*kind));
}

Result<RopeConfig> read_rope(const gguf::File& file,
                             const KeyReader& keys,
                             const ModelConfig& config) {
    RopeConfig rope;
    rope.n_rot = config.n_rot;
    NOTSO_TRY(rope.base, keys.number("rope.freq_base", 1.000001, 1e12, 10000.0));
    NOTSO_TRY(rope.scaling, read_scaling_kind(file, keys));
    NOTSO_CHECK(keys.neutral("rope.scale_linear", 1));
    if (rope.scaling == RopeScaling::kNone) return rope;
    NOTSO_TRY(rope.factor, keys.number("rope.scaling.factor", 1e-3, 1e6, 1.0));
    NOTSO_TRY(const std::int32_t original,
              keys.integer(
                  "rope.scaling.original_context_length", 1, kMaxContext, config.context_length));
    rope.original_context = original;
    for (const std::string_view key : {"rope.scaling.attn_factor",
                                       "rope.scaling.yarn_attn_factor",
                                       "rope.scaling.yarn_ext_factor"}) {
        NOTSO_CHECK(keys.neutral(key, 1));
    }
    NOTSO_CHECK(keys.neutral("rope.scaling.yarn_log_multiplier", 0));
    NOTSO_CHECK(keys.neutral("rope.scaling.yarn_beta_fast", 32));
    NOTSO_CHECK(keys.neutral("rope.scaling.yarn_beta_slow", 1));
    return rope;
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
    if (embedding == nullptr || embedding->shape.size() != 2) {
        return fail(ErrorCode::kCorruptData,
                    "{}: tensor token_embd.weight {}",
                    file.path().string(),
                    embedding == nullptr ? "is missing" : "is no matrix");
    }
    const std::uint64_t rows = embedding->shape[1];
    constexpr std::uint64_t kMaxVocab = 1 << 24;
    if (rows == 0 || rows > kMaxVocab) {
        return fail(ErrorCode::kCorruptData,
                    "{}: tensor token_embd.weight has {} rows, but must have between 1 and {}",
                    file.path().string(),
                    rows,
                    kMaxVocab);
    }
    NOTSO_TRY(const auto stated, file.get_uint(keys.name("vocab_size")));
    if (stated && *stated != rows) {
        return fail(ErrorCode::kCorruptData,
                    "{}: key {} is {}, but token_embd.weight has {} rows",
                    file.path().string(),
                    keys.name("vocab_size"),
                    *stated,
                    rows);
    }
    return static_cast<std::int32_t>(rows);
}

}  // namespace

Result<ModelSpec> read_spec(const gguf::File& file) {
    NOTSO_TRY(const auto name, file.get_string("general.architecture"));
    if (!name) {
        return fail(ErrorCode::kCorruptData,
                    "{}: key general.architecture is missing",
                    file.path().string());
    }
    ModelSpec spec;
    NOTSO_TRY(spec.architecture, find_architecture(*name));
    ModelConfig& config = spec.config;
    config.architecture = *name;
    NOTSO_CHECK(read_general(file, config));
    const KeyReader keys(file, spec.architecture->name);
    NOTSO_CHECK(keys.absent_or_zero("expert_count"));
    NOTSO_TRY(config.n_layers, keys.integer("block_count", 1, kMaxLayers));
    NOTSO_TRY(config.n_embd, keys.integer("embedding_length", 1, kMaxHidden));
    NOTSO_TRY(config.n_ff, keys.integer("feed_forward_length", 1, kMaxFfn));
    NOTSO_TRY(config.context_length, keys.integer("context_length", 1, kMaxContext));
    NOTSO_CHECK(read_heads(file, keys, config));
    NOTSO_TRY(const double eps, keys.number("attention.layer_norm_rms_epsilon", kSmallestEps, 1.0));
    NOTSO_TRY(spec.rope, read_rope(file, keys, config));
    NOTSO_TRY(config.n_vocab, read_vocab(file, keys));
    config.rms_eps = static_cast<float>(eps);
    config.rope_base = static_cast<float>(spec.rope.base);
    return spec;
}

}  // namespace notso::ml
