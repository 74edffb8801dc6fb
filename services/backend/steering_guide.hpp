// SteeringGuide: steers an answer of a local model while it is written: ends thoughts (budget,
// "answer now", loops), makes the model call a tool where it has to, and holds calls that have
// begun to the form of the offered tools. It asks the answer's parser where the answer stands; both
// live on the engine thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "ml/grammar/grammar_guide.hpp"
#include "ml/sampling/token_guide.hpp"
#include "services/backend/answer_parser.hpp"
#include "services/backend/loop_detector.hpp"

namespace notso::services {

/// What other threads may ask of an answer.
struct AnswerControl {
    std::atomic<bool> answer_now = false;
};

/// Makes the guide of a call: of the JSON between its marks.
using CallGuideFactory = std::function<std::unique_ptr<ml::GrammarGuide>()>;

struct SteeringOptions {
    bool thinking = false;       ///< Thoughts are wanted.
    bool thinking_open = false;  ///< The prompt ends inside <think>.
    std::optional<std::int64_t> thinking_budget = {};
    CallGuideFactory call_guide = {};  ///< Empty: calls are not held to anything.
    bool must_call = false;            ///< Thoughts, if any, and then a call.
    std::shared_ptr<ml::GrammarGuide> answer =
        {};  ///< For what is neither thought nor call; may be null.
};

class SteeringGuide final : public ml::TokenGuide {
  public:
    /// @param tokens  Must outlive the guide.
    SteeringGuide(const AnswerTokens& tokens,
                  SteeringOptions options,
                  std::shared_ptr<AnswerParser> parser,
                  std::shared_ptr<const AnswerControl> control);

    ml::Allowed next(std::int32_t n_left) override;
    void accept(ml::TokenId id) override;

  private:
    std::optional<ThinkingEndReason> reason_to_answer(std::int32_t n_left) const;
    void close_thoughts(ThinkingEndReason reason, std::int32_t n_left);
    ml::Allowed next_in_call(std::int32_t n_left);
    ml::Allowed next_in_answer(std::int32_t n_left);
    ml::Allowed or_token(ml::TokenMask mask, std::optional<ml::TokenId> id);
    bool opens_call(ml::TokenId id) const;
    std::optional<ml::Allowed> begin_call(std::int32_t n_left);
    std::uint32_t n_needed() const;
    bool follow_call();
    void force(std::string_view text);
    void force_mark(std::optional<ml::TokenId> token, bool is_token, std::string_view text);
    /// The answer has a form that it must come to.
    bool is_bound() const { return options_.answer != nullptr || options_.must_call; }
    ml::Allowed forced() const { return ml::Allowed::force(forced_.front()); }

    const AnswerTokens& tokens_;
    const SteeringOptions options_;
    const std::shared_ptr<AnswerParser> parser_;
    const std::shared_ptr<const AnswerControl> control_;

    std::deque<ml::TokenId> forced_;  // what comes next, whatever the model would say
    std::int64_t n_thought_ = 0;      // tokens of thoughts, tags not counted
    bool line_ended_ = false;         // the last of them ended a line
    bool no_more_thoughts_ = false;   // they were ended for the model
    bool thought_begun_;
    LoopDetector loops_;
    std::vector<std::uint64_t>
        in_thought_;  // what may stand in thoughts that something has to follow

    std::unique_ptr<ml::GrammarGuide> call_;  // of the call that is under way
    bool may_break_line_ = false;             // nothing of it stands there yet
    bool line_first_ = false;                 // it began with a line end, and gets one at its end
    std::vector<std::uint64_t> widened_;      // a mask with one more token
    bool call_seen_ = false;                  // it was tried to get one
};

}  // namespace notso::services
