// See steering_guide.hpp.
#include "services/backend/steering_guide.hpp"

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"
#include "services/prompt/thinking_flags.hpp"
#include "services/prompt/tool_texts.hpp"

namespace notso::services {
namespace {

// The closing text is part of the budget; a small one is rather spent on the thought itself.
constexpr std::int64_t kClosingShare = 4;
// Near its end a budget waits for the end of a line, at most for this part of it and so many
// tokens.
constexpr std::int64_t kPatienceShare = 8;
constexpr std::int64_t kMaxPatience = 40;
// What is left for an answer beyond what it needs at least, and for a call.
constexpr std::uint32_t kAnswerReserve = 16;
constexpr std::uint32_t kCallReserve = 64;
// An end tag that is text takes some tokens, too.
constexpr std::uint32_t kTagTokens = 8;
// Never inside a character; a model that writes nothing but broken ones is not waited for.
constexpr std::int64_t kMaxBrokenTokens = 8;

}  // namespace

SteeringGuide::SteeringGuide(const AnswerTokens& tokens,
                             SteeringOptions options,
                             std::shared_ptr<AnswerParser> parser,
                             std::shared_ptr<const AnswerControl> control)
    : tokens_(tokens),
      options_(std::move(options)),
      parser_(std::move(parser)),
      control_(std::move(control)),
      thought_begun_(options_.thinking_open) {
    if (!is_bound()) return;
    in_thought_.assign(ml::mask_words(tokens_.tokenizer.vocab_size()), ~std::uint64_t{0});
    for (const ml::TokenId id : tokens_.tokenizer.end_tokens())
        in_thought_[ml::to_index(id) / 64] &= ~(std::uint64_t{1} << (ml::to_index(id) % 64));
}

ml::Allowed SteeringGuide::next(std::int32_t n_left) {
    if (n_left == 0) {
        const bool free = !parser_->thinking() && forced_.empty() && call_ == nullptr;
        return free && options_.answer ? options_.answer->next(0) : ml::Allowed::anything();
    }
    if (!forced_.empty()) return forced();
    if (parser_->thinking()) {
        const auto reason = reason_to_answer(n_left);
        if (!reason) return is_bound() ? ml::Allowed::set(in_thought_) : ml::Allowed::anything();
        close_thoughts(*reason, n_left);
        return forced();
    }
    if (follow_call()) return forced_.empty() ? next_in_call(n_left) : forced();
    const bool may_think = options_.thinking && tokens_.has_think_tokens() && !control_->answer_now;
    if (is_bound() && may_think && !thought_begun_ && parser_->at_beginning())
        return ml::Allowed::force(*tokens_.think);
    if (options_.must_call && parser_->n_calls() == 0) {
        if (const auto allowed = begin_call(n_left)) return *allowed;
    }
    return next_in_answer(n_left);
}

void SteeringGuide::accept(ml::TokenId id) {
    const bool was_forced = !forced_.empty() && forced_.front() == id;
    if (was_forced) {
        forced_.pop_front();
    } else {
        forced_.clear();  // an answer that goes on was written otherwise than it would be now
    }
    const bool is_tag =
        tokens_.has_think_tokens() && (id == *tokens_.think || id == *tokens_.think_end);
    if (is_tag) {
        thought_begun_ = true;
        return;
    }
    if (parser_->thinking()) {
        const std::string_view bytes = tokens_.tokenizer.token_bytes(id);
        ++n_thought_;
        line_ended_ = bytes.ends_with('\n');
        loops_.push(id, bytes);
        return;
    }
    if (was_forced) return;
    if (call_) {
        if (std::exchange(may_break_line_, false) && id == tokens_.line_end) {
            line_first_ = true;
        } else {
            call_->accept(id);
        }
    } else if (options_.answer && !call_seen_ && parser_->n_calls() == 0 && !opens_call(id)) {
        options_.answer->accept(id);
    }
}

/// Tokens that must be left behind the thoughts.
std::uint32_t SteeringGuide::n_needed() const {
    const std::uint32_t tag = tokens_.has_think_tokens() ? 0 : kTagTokens;
    if (options_.answer) return options_.answer->n_to_end() + kAnswerReserve + tag;
    return options_.must_call ? kCallReserve + tag : 0;
}

std::optional<ThinkingEndReason> SteeringGuide::reason_to_answer(std::int32_t n_left) const {
    const bool broken = parser_->inside_character();
    const bool late = is_bound() && std::cmp_less_equal(n_left - 1, n_needed());
    if (no_more_thoughts_ || late) return ThinkingEndReason::kBudget;
    if (!broken && control_->answer_now) return ThinkingEndReason::kAsked;
    if (!broken && loops_.looping()) return ThinkingEndReason::kLoop;
    if (!options_.thinking_budget) return std::nullopt;
    const std::int64_t budget = *options_.thinking_budget;
    const std::int64_t closing = std::ssize(tokens_.thought_closing) + 1;
    const std::int64_t end = budget > kClosingShare * closing ? budget - closing : budget;
    const std::int64_t patience = std::min(end / kPatienceShare, kMaxPatience);
    const bool over = n_thought_ >= end || (n_thought_ >= end - patience && line_ended_);
    const bool waits = broken && n_thought_ < end + kMaxBrokenTokens;
    return over && !waits ? std::optional(ThinkingEndReason::kBudget) : std::nullopt;
}

/// The closing text only where there is a thought to be closed, and room for it.
void SteeringGuide::close_thoughts(ThinkingEndReason reason, std::int32_t n_left) {
    const std::int64_t closing = std::ssize(tokens_.thought_closing) + 1;
    const std::int64_t budget = options_.thinking_budget.value_or(n_left + n_thought_);
    const bool fits = n_thought_ > 0 && !no_more_thoughts_ &&
                      std::cmp_less(n_needed() + closing * 2, n_left) &&
                      n_thought_ + closing <= budget;
    if (fits) forced_.assign(tokens_.thought_closing.begin(), tokens_.thought_closing.end());
    if (n_thought_ == 0 && std::cmp_less(n_needed() + kTagTokens, n_left))
        force(options_.thinking_open ? "\n" : "\n\n");  // how models write an empty thought
    force_mark(tokens_.think_end, tokens_.has_think_tokens(), kThinkEndTag);
    parser_->thinking_ends_by(reason);
    no_more_thoughts_ = true;
}

/// Whether a call is under way that is held to its form.
bool SteeringGuide::follow_call() {
    const std::string* body = parser_->call_body();
    if (body == nullptr) {
        const bool whole_answer = options_.must_call && tokens_.call_syntax().bare_json;
        if (!whole_answer) {
            call_.reset();
            call_seen_ = false;
        }
        return call_ != nullptr;
    }
    if (!call_seen_ && !parser_->inside_character() && options_.call_guide) {
        call_seen_ = true;
        call_ = options_.call_guide();
        line_first_ = body->starts_with('\n');
        may_break_line_ = body->empty();
        const std::size_t begun = std::min(body->find_first_not_of(kWhiteSpace), body->size());
        for (const ml::TokenId id : tokens_.tokenizer.encode(std::string_view(*body).substr(begun)))
            call_->accept(id);
    }
    return call_ != nullptr;
}

/// Ends the call as soon as it is whole.
ml::Allowed SteeringGuide::next_in_call(std::int32_t n_left) {
    if (call_->n_to_end() == 0) {
        if (parser_->call_body() == nullptr) return ml::Allowed::end();  // it is the whole answer
        if (line_first_) force("\n");
        force_mark(tokens_.tool_call_end, tokens_.call_syntax().call_tokens, kToolCallEndTag);
        return forced();
    }
    const ml::Allowed allowed = call_->next(std::max(n_left - tokens_.n_call_closing, 1));
    if (allowed.kind == ml::Allowed::Kind::kSet) {
        // Some models begin the JSON on a line of its own, some do not.
        return may_break_line_ ? or_token(allowed.mask, tokens_.line_end) : allowed;
    }
    call_.reset();  // what it becomes is told by the parser
    return ml::Allowed::anything();
}

bool SteeringGuide::opens_call(ml::TokenId id) const {
    return options_.call_guide && tokens_.marker_of(id) == CallMarker::kCallBegin;
}

ml::Allowed SteeringGuide::or_token(ml::TokenMask mask, std::optional<ml::TokenId> id) {
    widened_.assign(mask.begin(), mask.end());
    if (id && ml::to_index(*id) / 64 < widened_.size())
        widened_[ml::to_index(*id) / 64] |= std::uint64_t{1} << (ml::to_index(*id) % 64);
    return ml::Allowed::set(widened_);
}

/// In the form that is wanted; instead of it a call may come.
ml::Allowed SteeringGuide::next_in_answer(std::int32_t n_left) {
    if (!options_.answer || parser_->n_calls() > 0) return ml::Allowed::anything();
    const ml::Allowed allowed = options_.answer->next(n_left);
    const bool may_call = options_.call_guide && tokens_.call_syntax().call_tokens &&
                          parser_->at_beginning() && allowed.kind == ml::Allowed::Kind::kSet;
    return may_call ? or_token(allowed.mask, tokens_.tool_call) : allowed;
}

/// Opens the call that has to come. Llama's have no mark: they begin as the answer does.
std::optional<ml::Allowed> SteeringGuide::begin_call(std::int32_t n_left) {
    if (!tokens_.call_syntax().bare_json) {
        force_mark(tokens_.tool_call, tokens_.call_syntax().call_tokens, kToolCallTag);
        return forced();
    }
    if (call_seen_ || !options_.call_guide) return std::nullopt;
    call_seen_ = true;
    call_ = options_.call_guide();
    return next_in_call(n_left);
}

void SteeringGuide::force(std::string_view text) {
    std::ranges::copy(tokens_.tokenizer.encode(text), std::back_inserter(forced_));
}

void SteeringGuide::force_mark(std::optional<ml::TokenId> token,
                               bool is_token,
                               std::string_view text) {
    if (is_token) return forced_.push_back(*token);
    force(text);
}

}  // namespace notso::services
