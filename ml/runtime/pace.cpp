#include "ml/runtime/pace.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace notso::ml {
namespace {

constexpr double kLayerSeconds = 0.03;   // a cancel and a running answer wait no longer
constexpr double kPassSeconds = 1.0;     // a short prompt that comes then waits no longer
constexpr std::int32_t kFirstPass = 16;  // tokens, while the machine's speed is not known yet
constexpr std::int32_t kLeastPass = 8;
constexpr double kMeasureWeight = 0.2;  // of a new measurement
constexpr double kSlope = 0.1;          // more time for each token more, as long as it is not known
constexpr double kLeastSlice = 0.02;
constexpr double kMostSlice = 0.08;

std::size_t index(Precision precision) { return precision == Precision::kFast ? 1 : 0; }

}  // namespace

Pace::Pace(std::int32_t n_layers, std::int32_t most)
    : pass_seconds_(std::min(kPassSeconds, kLayerSeconds * n_layers)), most_(most) {}

std::int32_t Pace::prefill_tokens(Precision precision) const {
    const double rate = prefill_rate_[index(precision)];
    if (rate == 0) return std::min(kFirstPass, most_);
    const double fits = std::min(rate * pass_seconds_, static_cast<double>(most_));
    return std::clamp(static_cast<std::int32_t>(fits), std::min(kLeastPass, most_), most_);
}

void Pace::note_prefill(Precision precision,
                        std::int32_t n_tokens,
                        std::chrono::duration<double> taken) {
    // A short rest of a prompt says little about the speed of a full pass.
    if (n_tokens < std::min(kLeastPass, most_)) return;
    prefill_rate_[index(precision)] = n_tokens / std::max(taken.count(), 1e-6);
}

std::vector<double> Pace::decode_seconds(std::int32_t n_tokens, std::int32_t n_more) const {
    const auto most = static_cast<std::int32_t>(kMeasured);
    const auto measured = [&](std::int32_t n) {
        return decode_[static_cast<std::size_t>(std::min(n, most))];
    };
    std::vector<double> out;
    double known = 1;  // without any measurement only ratios count
    std::int32_t n_known = 1;
    for (std::int32_t n = 1; n <= n_tokens + n_more; ++n) {
        if (measured(n) > 0) std::tie(known, n_known) = std::pair(measured(n), n);
        if (n < n_tokens) continue;
        std::int32_t next = n;
        while (next <= most && measured(next) == 0) ++next;
        const double slope = next > most || next == n_known
                                 ? known * kSlope
                                 : (measured(next) - known) / (next - n_known);
        out.push_back(known + slope * (n - n_known));
    }
    return out;
}

void Pace::note_decode(std::int32_t n_tokens, std::chrono::duration<double> taken) {
    last_decode_ = taken.count();
    double& known = decode_[std::min<std::size_t>(static_cast<std::size_t>(n_tokens), kMeasured)];
    known = known == 0 ? last_decode_ : known + kMeasureWeight * (last_decode_ - known);
}

std::chrono::duration<double> Pace::slice() const {
    return std::chrono::duration<double>(std::clamp(2 * last_decode_, kLeastSlice, kMostSlice));
}

}  // namespace notso::ml
