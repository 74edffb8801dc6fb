// Sampler: picks the next token from the logits. The steps and their order are those of params.hpp.
// One per request: it holds the generator and the recent tokens that the penalties look at.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "ml/sampling/params.hpp"
#include "ml/sampling/prng.hpp"
#include "ml/sampling/token_guide.hpp"
#include "ml/tokenizer/token_id.hpp"

namespace notso::ml {

/// The same logits, parameters and accepted tokens give the same choices on every machine: the draw
/// uses an own generator and an own exponential function, not the system's.
class Sampler {
  public:
    /// @param params  Already validated.
    explicit Sampler(const SamplingParams& params);

    /// @param logits   [n_vocab] f32, left as they are.
    /// @param allowed  Tokens outside it can't be drawn, as if their logit were -inf before all
    ///                 other steps; empty = all are allowed.
    /// @errors kInternal when no logit (of those allowed) is a number.
    /// @cost O(n_vocab) plus sorting the few candidates that top-k or top-p leave; no allocation
    /// after the first call.
    Result<TokenId> sample(std::span<const float> logits, TokenMask allowed = {});

    /// Tells the penalties which token was generated.
    void accept(TokenId id);

    /// Takes the state that it has after a text.
    /// @param n_drawn  Tokens of it that sample() chose.
    void go_on(std::span<const TokenId> text, std::int32_t n_drawn);

  private:
    struct Candidate {
        float logit;
        std::int32_t id;
    };
    /// More likely first, the lowest id on a tie. A type of its own, so that sorting can inline it.
    struct Before {
        bool operator()(const Candidate& a, const Candidate& b) const noexcept {
            return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
        }
    };

    void adjust(std::span<const float> logits, TokenMask allowed);
    void penalise();
    void collect(std::span<const float> logits, float highest);
    double lowest_needed(float highest, std::size_t n) const;
    std::size_t keep_top_k();
    std::size_t keep_likely(std::size_t sorted, double highest);
    void find_candidates(std::span<const float> logits, double lowest);
    double sum_of_candidates(double highest) const;
    void sort_more(std::size_t sorted, std::size_t wanted);
    TokenId draw(std::size_t n);

    SamplingParams params_;
    Prng prng_;
    std::deque<TokenId> recent_;   // the last penalty_window tokens; empty when no penalty is on
    std::vector<float> adjusted_;  // [n_vocab] logits after mask, bias and penalties
    double total_ = 0;             // Σ e^(logit − highest) over what top-p and min-p choose from
    std::vector<std::uint32_t> found_;   // [n_vocab] scratch: indices of candidates
    std::vector<Candidate> candidates_;  // the first ones sorted as far as needed
    std::vector<double> weights_;        // of the candidates that are drawn from
};

}  // namespace notso::ml
