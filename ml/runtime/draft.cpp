#include "ml/runtime/draft.hpp"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

namespace notso::ml {
namespace {

constexpr int kCandidates = 32;          // earlier places that are compared
constexpr std::int32_t kLongMatch = 32;  // a longer one says no more
constexpr double kLearningRate = 0.05;   // of one guessed token in the chance
constexpr double kLeastChance = 0.02;    // however bad it was: it may get better
constexpr double kLeastGain = 1.05;      // a guess that hardly pays is not worth its risk

/// Tokens before `a` and before `b` that are alike. a < b.
std::int32_t common_end(std::span<const TokenId> text, std::int32_t a, std::int32_t b) {
    std::int32_t n = 0;
    while (n <= a && n < kLongMatch &&
           text[static_cast<std::size_t>(a - n)] == text[static_cast<std::size_t>(b - n)])
        ++n;
    return n;
}

}  // namespace

void Drafter::update(std::span<const TokenId> text) {
    for (std::size_t i = before_.size(); i < text.size(); ++i) {
        const auto [known, is_new] = last_.try_emplace(text[i], static_cast<std::int32_t>(i));
        before_.push_back(is_new ? -1 : std::exchange(known->second, static_cast<std::int32_t>(i)));
    }
}

Draft Drafter::propose(std::span<const TokenId> text, std::int32_t most) const {
    const auto end = static_cast<std::int32_t>(text.size()) - 1;
    if (end < 0 || most <= 0) return {};
    std::int32_t best = -1;
    std::int32_t n_matched = 0;
    std::int32_t place = before_[static_cast<std::size_t>(end)];
    for (int i = 0; i < kCandidates && place >= 0; ++i) {
        const std::int32_t n = common_end(text, place, end);
        if (n > n_matched) std::tie(best, n_matched) = std::pair(place, n);
        place = before_[static_cast<std::size_t>(place)];
    }
    if (best < 0) return {};
    const auto first = text.begin() + best + 1;
    return {.tokens = {first, first + std::min(most, end - best)}, .n_matched = n_matched};
}

std::size_t DraftLength::class_of(const Draft& draft) noexcept {
    // 1, 2 and 3, 4 to 7, 8 to 15, 16 and more
    const int bits = std::bit_width(static_cast<unsigned>(draft.n_matched));
    return static_cast<std::size_t>(std::clamp(bits - 1, 0, static_cast<int>(kClasses) - 1));
}

std::int32_t DraftLength::choose(const Draft& draft,
                                 std::span<const double> seconds,
                                 const PassCompany& company) const {
    const double chance = chance_[class_of(draft)];
    std::int32_t best = 0;
    double expected = company.n_others + 1;  // tokens of a pass
    double best_rate = kLeastGain * expected / seconds[0];
    double all_right = 1;
    for (std::size_t n = 1; n < seconds.size() && n <= draft.tokens.size(); ++n) {
        if (seconds[n] > company.most_seconds) break;
        all_right *= chance;
        expected += all_right;
        const double rate = expected / seconds[n];
        if (rate > best_rate)
            std::tie(best, best_rate) = std::pair(static_cast<std::int32_t>(n), rate);
    }
    return best;
}

void DraftLength::learn(const Draft& draft, std::size_t n_compared, std::size_t n_right) {
    double& chance = chance_[class_of(draft)];
    for (std::size_t i = 0; i < n_right; ++i) chance += kLearningRate * (1 - chance);
    if (n_right < n_compared) chance -= kLearningRate * chance;
    chance = std::max(chance, kLeastChance);
}

}  // namespace notso::ml
