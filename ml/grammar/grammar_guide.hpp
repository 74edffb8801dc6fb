// GrammarGuide: lets a grammar steer a request, and brings the text to its end in time.
#pragma once

#include <algorithm>
#include <memory>

#include "ml/grammar/grammar_matcher.hpp"
#include "ml/sampling/token_guide.hpp"
#include "ml/tokenizer/tokenizer.hpp"

namespace notso::ml {

class GrammarGuide final : public TokenGuide {
  public:
    /// @param tokenizer  Whose vocabulary the masks are of; must outlive the guide.
    GrammarGuide(std::shared_ptr<GrammarMasks> masks, const Tokenizer& tokenizer)
        : matcher_(std::move(masks)), tokenizer_(tokenizer) {}

    Allowed next(std::int32_t n_left) override {
        if (!matcher_.can_go_on() || n_left <= 0)
            return matcher_.is_complete() ? Allowed::end() : Allowed::dead_end();
        const TokenMask mask = matcher_.mask(static_cast<std::uint32_t>(n_left));
        const bool is_empty =
            std::ranges::all_of(mask, [](std::uint64_t word) { return word == 0; });
        if (is_empty) return matcher_.is_complete() ? Allowed::end() : Allowed::dead_end();
        return Allowed::set(mask);
    }
    void accept(TokenId id) override { matcher_.accept(tokenizer_.token_bytes(id)); }

    /// Least tokens to a whole text; never too few.
    std::uint32_t n_to_end() const { return matcher_.n_to_end(); }

  private:
    GrammarMatcher matcher_;
    const Tokenizer& tokenizer_;
};

}  // namespace notso::ml
