// Range checks of the sampling parameters. NaN fails every check, since it is in no range.
#include "ml/sampling/params.hpp"

#include <string_view>

namespace notso::ml {
namespace {

constexpr std::int32_t kMaxPenaltyWindow = 65'536;
constexpr float kMaxBias = 100.0F;

struct Range {
    std::string_view name;
    float value;
    float low;
    float high;
    bool open_low = false;  ///< `low` itself is not allowed.
};

Result<> check(const Range& range) {
    const bool above = range.open_low ? range.value > range.low : range.value >= range.low;
    if (above && range.value <= range.high) return {};
    return fail(ErrorCode::kInvalidArgument,
                "{}: {} is not in {}{}, {}]",
                range.name,
                range.value,
                range.open_low ? '(' : '[',
                range.low,
                range.high);
}

}  // namespace

Result<> validate(const SamplingParams& params) {
    const Range ranges[] = {
        {"temperature", params.temperature, 0, 10},
        {"top_p", params.top_p, 0, 1, true},
        {"min_p", params.min_p, 0, 1},
        {"repeat_penalty", params.repeat_penalty, 0, 10, true},
        {"presence_penalty", params.presence_penalty, -2, 2},
        {"frequency_penalty", params.frequency_penalty, -2, 2},
    };
    for (const Range& range : ranges) NOTSO_CHECK(check(range));
    if (params.top_k < 0) {
        return fail(ErrorCode::kInvalidArgument, "top_k: {} is negative (0 = off)", params.top_k);
    }
    if (params.penalty_window < 0 || params.penalty_window > kMaxPenaltyWindow) {
        return fail(ErrorCode::kInvalidArgument,
                    "penalty_window: {} is not in [0, {}]",
                    params.penalty_window,
                    kMaxPenaltyWindow);
    }
    for (const auto& [id, bias] : params.logit_bias) {
        if (to_int(id) < 0) {
            return fail(ErrorCode::kInvalidArgument, "logit_bias: {} is no token id", to_int(id));
        }
        if (!(bias >= -kMaxBias && bias <= kMaxBias)) {
            return fail(ErrorCode::kInvalidArgument,
                        "logit_bias: {} for token {} is not in [-100, 100]",
                        bias,
                        to_int(id));
        }
    }
    return {};
}

}  // namespace notso::ml
