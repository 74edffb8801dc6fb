// See answer_guide.hpp.
#include "services/backend/answer_guide.hpp"

#include <algorithm>

#include "services/prompt/thinking_flags.hpp"

namespace notso::services {
namespace {

/// Tokens that an answer gets beyond those that it needs at least.
constexpr std::uint32_t kAnswerReserve = 16;

}  // namespace

ThoughtState thought_state(const AnswerTokens& tokens, bool thinking_open, bool wanted) {
    if (thinking_open) return ThoughtState::kOpen;
    return wanted && tokens.has_think_tokens() ? ThoughtState::kToOpen : ThoughtState::kNone;
}

AnswerGuide::AnswerGuide(std::unique_ptr<ml::GrammarGuide> answer,
                         const AnswerTokens& tokens,
                         ThoughtState state)
    : answer_(std::move(answer)), tokens_(tokens), state_(state) {
    if (state_ == ThoughtState::kNone) return;
    in_thought_.assign(ml::mask_words(tokens.tokenizer.vocab_size()), ~std::uint64_t{0});
    for (const ml::TokenId id : tokens.tokenizer.end_tokens())
        in_thought_[ml::to_index(id) / 64] &= ~(std::uint64_t{1} << (ml::to_index(id) % 64));
}

ml::Allowed AnswerGuide::next(std::int32_t n_left) {
    if (state_ == ThoughtState::kNone) return answer_->next(n_left);
    if (state_ == ThoughtState::kToOpen) return ml::Allowed::force(*tokens_.think);
    const std::uint32_t needed = answer_->n_to_end() + kAnswerReserve;
    const bool is_late = n_left <= 1 || static_cast<std::uint32_t>(n_left) - 1 <= needed;
    if (is_late && tokens_.think_end) return ml::Allowed::force(*tokens_.think_end);
    return ml::Allowed::set(in_thought_);
}

void AnswerGuide::accept(ml::TokenId id) {
    if (state_ == ThoughtState::kNone) return answer_->accept(id);
    if (state_ == ThoughtState::kToOpen) {
        state_ = ThoughtState::kOpen;
    } else if (tokens_.has_think_tokens()) {
        if (id == *tokens_.think_end) state_ = ThoughtState::kNone;
    } else {
        read_thought(id);
    }
}

/// Looks for </think> written as text.
void AnswerGuide::read_thought(ml::TokenId id) {
    seen_ += tokens_.tokenizer.token_bytes(id);
    if (seen_.find(kThinkEndTag) != std::string::npos) state_ = ThoughtState::kNone;
    if (seen_.size() > kThinkEndTag.size()) seen_.erase(0, seen_.size() - kThinkEndTag.size());
}

}  // namespace notso::services
