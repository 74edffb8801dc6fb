// Log-softmax of one row of logits, in double.
#include "ml/sampling/logprobs.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

namespace notso::ml {
namespace {

double usable(float x) noexcept {
    if (std::isnan(x)) return -std::numeric_limits<double>::infinity();
    return std::min(x, std::numeric_limits<float>::max());
}

double log_sum_exp(std::span<const float> logits) {
    double highest = -std::numeric_limits<double>::infinity();
    for (const float x : logits) highest = std::max(highest, usable(x));
    if (std::isinf(highest)) return 0;
    double sum = 0;
    for (const float x : logits) sum += std::exp(usable(x) - highest);
    return highest + std::log(sum);
}

}  // namespace

TokenChances token_chances(std::span<const float> logits, TokenId chosen, std::size_t n_top) {
    const double norm = log_sum_exp(logits);
    const auto logprob = [&](std::size_t i) {
        return std::clamp(static_cast<float>(usable(logits[i]) - norm), kLowestLogprob, 0.0F);
    };
    TokenChances chances;
    chances.chosen = to_index(chosen) < logits.size() ? logprob(to_index(chosen)) : kLowestLogprob;
    n_top = std::min(n_top, logits.size());
    if (n_top == 0) return chances;

    std::vector<std::int32_t> ids(logits.size());
    std::iota(ids.begin(), ids.end(), 0);
    const auto more_likely = [&](std::int32_t a, std::int32_t b) {
        const double x = usable(logits[static_cast<std::size_t>(a)]);
        const double y = usable(logits[static_cast<std::size_t>(b)]);
        return x > y || (x == y && a < b);
    };
    const auto end = ids.begin() + static_cast<std::ptrdiff_t>(n_top);
    std::partial_sort(ids.begin(), end, ids.end(), more_likely);
    for (auto id = ids.begin(); id != end; ++id) {
        chances.top.emplace_back(TokenId(*id), logprob(static_cast<std::size_t>(*id)));
    }
    return chances;
}

}  // namespace notso::ml
