// Drafter: guesses the next tokens of a text from what stands in it already: an answer that quotes,
// edits or repeats goes on as it did before. No second model; the model checks every guess, so that
// a wrong one costs time only.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <unordered_map>
#include <vector>

#include "ml/tokenizer/token_id.hpp"

namespace notso::ml {

/// A guess, and how much it is worth.
struct Draft {
    std::vector<TokenId> tokens = {};
    std::int32_t n_matched = 0;  ///< Tokens before the text's end that stood before them, too.
};

/// Finds the end of a text earlier in it. Source of the idea: Saxena 2023, "prompt lookup
/// decoding".
class Drafter {
  public:
    /// Notes the tokens that were added to a text.
    /// @param text  The whole text; it begins with what was noted before.
    /// @cost O(1) for each new token.
    void update(std::span<const TokenId> text);

    /// What followed the longest earlier occurrence of the text's end, the latest of equals.
    /// @param text  As noted last.
    Draft propose(std::span<const TokenId> text, std::int32_t most) const;

  private:
    std::unordered_map<TokenId, std::int32_t> last_;  // where each token stood last
    std::vector<std::int32_t> before_;  // [text]: where the same token stood before, or -1
};

/// Others that get their next token in the same pass: they wait for the guesses, too.
struct PassCompany {
    std::int32_t n_others = 0;
    double most_seconds = std::numeric_limits<double>::infinity();  ///< That they may have to wait.
};

/// How many tokens to guess: as many as make an answer fastest, judged by how guesses of this
/// answer fared and by how long passes over several tokens take.
class DraftLength {
  public:
    /// @param seconds  [n] of a pass in which n tokens are guessed, others' tokens included.
    /// @return Tokens to guess, 0 … most.
    std::int32_t choose(const Draft& draft,
                        std::span<const double> seconds,
                        const PassCompany& company) const;
    /// What became of a guess, also of one that was not tried: its first token can be compared with
    /// the one that came.
    /// @param n_compared  Tokens of it, at least 1, from the first on.
    /// @param n_right  Of those, the ones before the first wrong one.
    void learn(const Draft& draft, std::size_t n_compared, std::size_t n_right);

  private:
    static constexpr std::size_t kClasses = 5;  // of n_matched
    static std::size_t class_of(const Draft& draft) noexcept;

    /// Chance that a guessed token is right when those before it were, by class.
    std::array<double, kClasses> chance_ = {0.3, 0.4, 0.5, 0.65, 0.8};
};

}  // namespace notso::ml
