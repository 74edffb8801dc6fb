#include "ml/model/rope_keys.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace notso::ml {
namespace {

constexpr std::int32_t kMaxContext = 1 << 26;
constexpr double kMaxFactor = 1e6;
constexpr double kMaxBeta = 1e6;

Result<RopeScaling> read_scaling_kind(const KeyReader& keys) {
    NOTSO_TRY(const auto kind, keys.file().get_string(keys.name("rope.scaling.type")));
    if (!kind || *kind == "none") return RopeScaling::kNone;
    if (*kind == "linear") return RopeScaling::kLinear;
    if (*kind == "yarn") return RopeScaling::kYarn;
    return fail(ErrorCode::kUnsupported,
                "{}: {} is {}, which this program does not run; it runs none, linear, yarn",
                keys.file().path().string(),
                keys.label("rope.scaling.type"),
                log::field(*kind));
}

/// Without a type, other programs take the factor for linear scaling, or for none: no guess here.
Result<> check_unscaled(const KeyReader& keys) {
    NOTSO_CHECK(keys.neutral("rope.scale_linear", 1.0));
    if (keys.has("rope.scaling.type")) return {};
    return keys.neutral("rope.scaling.factor", 1.0);
}

Result<> read_yarn(const KeyReader& keys, RopeConfig& rope) {
    NOTSO_TRY(rope.beta_fast, keys.number("rope.scaling.yarn_beta_fast", 1e-3, kMaxBeta, 32.0));
    NOTSO_TRY(rope.beta_slow, keys.number("rope.scaling.yarn_beta_slow", 1e-3, kMaxBeta, 1.0));
    // What some files have beside the paper's constants, each with its own reading in every
    // program.
    NOTSO_CHECK(keys.neutral("rope.scaling.yarn_ext_factor", 1.0));
    NOTSO_CHECK(keys.neutral("rope.scaling.yarn_attn_factor", 1.0));
    return keys.neutral("rope.scaling.yarn_log_multiplier", 0.0);
}

}  // namespace

Result<RopeConfig> read_rope(const KeyReader& keys, ModelConfig& config) {
    RopeConfig rope;
    rope.n_rot = config.n_rot;
    NOTSO_TRY(rope.base, keys.number("rope.freq_base", 1.000001, 1e12, 10000.0));
    NOTSO_TRY(rope.scaling, read_scaling_kind(keys));
    NOTSO_CHECK(keys.neutral("rope.scaling.attn_factor", 1.0));
    NOTSO_CHECK(keys.neutral("rope.scaling.alpha", 1.0));
    NOTSO_CHECK(check_unscaled(keys));
    if (rope.scaling == RopeScaling::kNone) return rope;
    NOTSO_TRY(rope.factor, keys.number("rope.scaling.factor", 1e-3, kMaxFactor, 1.0));
    constexpr std::string_view kOriginal = "rope.scaling.original_context_length";
    NOTSO_TRY(const std::int32_t original,
              keys.integer(kOriginal, 1, kMaxContext, config.context_length));
    rope.original_context = original;
    if (rope.scaling == RopeScaling::kYarn) NOTSO_CHECK(read_yarn(keys, rope));
    if (keys.has(kOriginal)) {
        const double stretched = std::min<double>(original * rope.factor, kMaxContext);
        config.context_length =
            std::max(config.context_length, static_cast<std::int32_t>(stretched));
    }
    return rope;
}

}  // namespace notso::ml
