#include "ml/model/rope.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace notso::ml {
namespace {

/// The pair index whose wavelength makes `turns` turns over the original context.
double pair_with_turns(const RopeConfig& config, double turns) {
    const double wavelengths = config.original_context / (turns * 2 * std::numbers::pi);
    return config.n_rot * std::log(wavelengths) / (2 * std::log(config.base));
}

/// YaRN: quick pairs keep their frequency, slow ones are stretched, and between them it changes
/// linearly.
void apply_yarn(const RopeConfig& config, std::vector<double>& frequencies) {
    const double low = std::max(0.0, std::floor(pair_with_turns(config, config.beta_fast)));
    const double high =
        std::min(config.n_rot - 1.0, std::ceil(pair_with_turns(config, config.beta_slow)));
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
        const double ramp =
            std::clamp((static_cast<double>(i) - low) / std::max(0.001, high - low), 0.0, 1.0);
        frequencies[i] = frequencies[i] * (1 - ramp) + frequencies[i] / config.factor * ramp;
    }
}

}  // namespace

RopeTable::RopeTable(const RopeConfig& config, std::span<const float> divisors)
    : frequencies_(static_cast<std::size_t>(config.n_rot / 2)) {
    for (std::size_t i = 0; i < frequencies_.size(); ++i) {
        frequencies_[i] = std::pow(config.base, -2.0 * static_cast<double>(i) / config.n_rot);
        if (!divisors.empty()) frequencies_[i] /= static_cast<double>(divisors[i]);
        if (config.scaling == RopeScaling::kLinear) frequencies_[i] /= config.factor;
    }
    if (config.scaling == RopeScaling::kYarn) {
        apply_yarn(config, frequencies_);
        gain_ = 1.0 + 0.1 * std::log(config.factor);
    }
}

void RopeTable::write(std::int32_t pos, float* cos_sin) const noexcept {
    for (std::size_t i = 0; i < frequencies_.size(); ++i) {
        const double angle = pos * frequencies_[i];
        cos_sin[i] = static_cast<float>(std::cos(angle) * gain_);
        cos_sin[frequencies_.size() + i] = static_cast<float>(std::sin(angle) * gain_);
    }
}

}  // namespace notso::ml
