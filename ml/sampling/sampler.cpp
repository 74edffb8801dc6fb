// Implementation of the sampler. Never sorts the whole vocabulary: candidates are put in order a
// batch at a time, until top-p or min-p is satisfied.
#include "ml/sampling/sampler.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "ml/sampling/scan.hpp"

namespace notso::ml {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr double kNegligible =
    46.0;  // e^-46 = 1e-20: a token this far below the best can't be drawn
constexpr std::size_t kFirstBatch = 64;
constexpr std::size_t kBatchGrowth = 4;

constexpr std::size_t kSteps = 64;
/// 2^(j / 64), from the Taylor series (exact to the last bit or two, and the same everywhere: made
/// by the compiler).
constexpr auto kPowers = [] {
    constexpr double kLn2 = 0.6931471805599453;
    std::array<double, kSteps> table{};
    for (std::size_t j = 0; j < kSteps; ++j) {
        const double x = kLn2 * static_cast<double>(j) / kSteps;
        double sum = 1;
        for (int k = 22; k > 0; --k) sum = 1 + sum * x / k;
        table[j] = sum;
    }
    return table;
}();

/// e^x for x ≤ 0, from IEEE additions and multiplications only: std::exp differs in the last bit
/// between machines. x = (64 n + j) ln 2 / 64 + r with |r| < 0.0055, so five terms of the series of
/// e^r are enough for 1e-13.
double portable_exp(double x) noexcept {
    if (!(x > -700.0)) return 0.0;
    constexpr double kStepsPerLn2 = 92.33248261893609;  // 64 / ln 2
    constexpr double kLn2High = 0x1.62e42fefa38p-1 / kSteps;
    constexpr double kLn2Low = 0x1.ef35793c7673p-45 / kSteps;
    constexpr double kRound = 0x1.8p52;  // adding and subtracting it rounds to an integer
    const double steps = (x * kStepsPerLn2 + kRound) - kRound;
    const double r = (x - steps * kLn2High) - steps * kLn2Low;
    const double series =
        1 + r * (1 + r * (1.0 / 2 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120)))));
    const auto whole = static_cast<std::int64_t>(steps);
    const auto j = static_cast<std::size_t>(whole) %
                   kSteps;  // two's complement: right for negative numbers too
    const auto n = (whole - static_cast<std::int64_t>(j)) / static_cast<std::int64_t>(kSteps);
    return series * kPowers[j] * std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52);
}

/// Only words of the mask with tokens of both kinds are looked into: most have one.
void forbid_others(TokenMask allowed, std::span<float> logits) {
    constexpr std::size_t kBits = 64;
    for (std::size_t first = 0; first < logits.size(); first += kBits) {
        const std::size_t word = first / kBits;
        std::uint64_t others = word < allowed.size() ? ~allowed[word] : ~std::uint64_t{0};
        const std::span<float> part = logits.subspan(first, std::min(kBits, logits.size() - first));
        if (others == ~std::uint64_t{0}) {
            std::ranges::fill(part, kNever);
            continue;
        }
        for (; others != 0; others &= others - 1) {
            const auto i = static_cast<std::size_t>(std::countr_zero(others));
            if (i < part.size()) part[i] = kNever;
        }
    }
}

}  // namespace

Sampler::Sampler(const SamplingParams& params) : params_(params), prng_(params.seed) {}

void Sampler::accept(TokenId id) {
    const bool penalties = params_.repeat_penalty != 1 || params_.presence_penalty != 0 ||
                           params_.frequency_penalty != 0;
    if (!penalties || params_.penalty_window == 0) return;
    recent_.push_back(id);
    if (recent_.size() > static_cast<std::size_t>(params_.penalty_window)) recent_.pop_front();
}

void Sampler::go_on(std::span<const TokenId> text, std::int32_t n_drawn) {
    for (const TokenId id : text) accept(id);
    if (params_.temperature == 0) return;
    for (std::int32_t i = 0; i < n_drawn; ++i) prng_.next();  // each draw takes one number
}

Result<TokenId> Sampler::sample(std::span<const float> logits, TokenMask allowed) {
    Highest best = allowed.empty() ? find_highest(logits) : Highest{};
    if (!allowed.empty() || !params_.logit_bias.empty() || !recent_.empty() ||
        best.value > std::numeric_limits<float>::max()) {
        adjust(logits, allowed);
        logits = adjusted_;
        best = find_highest(logits);
    }
    if (best.value == kNever) {
        return fail(ErrorCode::kInternal, "the model gave no usable logit among {}", logits.size());
    }
    if (params_.temperature == 0) return TokenId(static_cast<std::int32_t>(best.index));
    collect(logits, best.value);
    return draw(keep_likely(keep_top_k(), best.value));
}

/// Mask, bias and penalties; afterwards every logit is finite or kNever.
void Sampler::adjust(std::span<const float> logits, TokenMask allowed) {
    adjusted_.resize(logits.size());
    copy_usable(logits, adjusted_);
    if (!allowed.empty()) forbid_others(allowed, adjusted_);
    const auto usable = [](float x) {
        if (std::isnan(x)) return kNever;
        return std::min(x, std::numeric_limits<float>::max());
    };
    for (const auto& [id, bias] : params_.logit_bias) {
        if (to_index(id) < adjusted_.size())
            adjusted_[to_index(id)] = usable(adjusted_[to_index(id)] + bias);
    }
    penalise();
}

void Sampler::penalise() {
    if (recent_.empty()) return;
    std::unordered_map<std::size_t, float> counts;
    for (const TokenId id : recent_) counts[to_index(id)] += 1;
    for (const auto& [index, count] : counts) {
        if (index >= adjusted_.size() || adjusted_[index] == kNever) continue;
        float& x = adjusted_[index];
        x = x > 0 ? x / params_.repeat_penalty : x * params_.repeat_penalty;
        x -= params_.presence_penalty + params_.frequency_penalty * count;
        x = std::clamp(x, std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max());
    }
}

/// Everything that could be drawn, in the order of ids. Without top-k it is known beforehand what
/// top-p and min-p leave at most; mostly it is not far below the most likely token.
void Sampler::collect(std::span<const float> logits, float highest) {
    const double reach = kNegligible * std::max(1.0, static_cast<double>(params_.temperature));
    double lowest = static_cast<double>(highest) - reach;
    if (params_.top_k == 0 && (params_.top_p < 1 || params_.min_p > 0)) {
        total_ = sum_of_exp(logits, highest);
        lowest = std::max(lowest, lowest_needed(highest, logits.size()));
        for (const double near : {3.0, 6.0, 10.0}) {
            const double limit = static_cast<double>(highest) - near;
            if (params_.top_p >= 1 || limit <= lowest) break;
            find_candidates(logits, limit);
            if (sum_of_candidates(highest) > total_ * static_cast<double>(params_.top_p)) return;
        }
    }
    find_candidates(logits, lowest);
}

void Sampler::find_candidates(std::span<const float> logits, double lowest) {
    found_.resize(logits.size());
    candidates_.clear();
    const std::size_t n = find_at_least(logits, static_cast<float>(lowest), found_);
    for (const std::uint32_t i : std::span(found_).first(n))
        candidates_.push_back({logits[i], static_cast<std::int32_t>(i)});
}

double Sampler::sum_of_candidates(double highest) const {
    double sum = 0;
    for (const Candidate& candidate : candidates_) sum += portable_exp(candidate.logit - highest);
    return sum;
}

/// All tokens below (1 - top_p) / n together have less than the 1 - top_p that top-p leaves out, so
/// none of them is needed; the same holds for tokens below min_p. A little more is kept, for the
/// sake of rounding.
double Sampler::lowest_needed(float highest, std::size_t n) const {
    constexpr double kMargin = 0.01;
    const double tail = (1 - static_cast<double>(params_.top_p)) * total_ / static_cast<double>(n);
    const double least = std::max(tail, static_cast<double>(params_.min_p));
    return least <= 0 ? static_cast<double>(kNever)
                      : static_cast<double>(highest) + std::log(least) - kMargin;
}

/// Returns how many candidates at the front are in order.
std::size_t Sampler::keep_top_k() {
    const auto k = static_cast<std::size_t>(params_.top_k);
    if (k == 0 || k >= candidates_.size()) return 0;
    sort_more(0, k);
    candidates_.resize(k);
    return k;
}

/// Puts candidates [sorted, wanted) in order; everything behind them comes later.
void Sampler::sort_more(std::size_t sorted, std::size_t wanted) {
    const auto begin = candidates_.begin() + static_cast<std::ptrdiff_t>(sorted);
    const auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(wanted);
    if (wanted < candidates_.size()) std::nth_element(begin, end, candidates_.end(), Before{});
    std::sort(begin, end, Before{});
}

/// top-p and min-p; both keep a beginning of the ordered list, so the shorter one counts. Returns
/// its length.
std::size_t Sampler::keep_likely(std::size_t sorted, double highest) {
    if (params_.top_p >= 1 && params_.min_p <= 0) return candidates_.size();
    if (params_.top_k != 0) {  // only what top-k left counts
        total_ = sum_of_candidates(highest);
    }
    const double enough =
        params_.top_p >= 1 ? total_ + 1 : total_ * static_cast<double>(params_.top_p);
    double sum = 0;
    std::size_t batch = kFirstBatch;
    for (std::size_t n = 0; n < candidates_.size(); ++n) {
        if (n == sorted) {
            sorted = std::min(candidates_.size(), sorted + batch);
            batch *= kBatchGrowth;
            sort_more(n, sorted);
        }
        const double weight =
            portable_exp(candidates_[n].logit - highest);  // relative to the most likely: 1
        if (n > 0 && (sum >= enough || weight < static_cast<double>(params_.min_p))) return n;
        sum += weight;
    }
    return candidates_.size();
}

/// One draw among the first `n` candidates.
TokenId Sampler::draw(std::size_t n) {
    float highest = kNever;
    for (std::size_t i = 0; i < n; ++i) highest = std::max(highest, candidates_[i].logit);
    weights_.clear();
    double total = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double below =
            static_cast<double>(candidates_[i].logit) - static_cast<double>(highest);
        weights_.push_back(portable_exp(below / static_cast<double>(params_.temperature)));
        total += weights_.back();
    }
    const double target = prng_.uniform() * total;
    double sum = 0;
    std::size_t chosen = 0;
    for (std::size_t i = 0; i < n; ++i) {
        if (weights_[i] <= 0) continue;
        chosen = i;
        sum += weights_[i];
        if (sum > target) break;
    }
    return TokenId(candidates_[chosen].id);
}

}  // namespace notso::ml
