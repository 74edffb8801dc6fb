// AnswerGuide: lets a grammar steer the answer, and leaves the thoughts before it free.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ml/grammar/grammar_guide.hpp"
#include "services/backend/answer_parser.hpp"

namespace notso::services {

/// Where an answer is when it begins.
enum class ThoughtState : std::uint8_t {
    kNone,    ///< The answer begins at once.
    kToOpen,  ///< The model opens a thought with its token.
    kOpen,    ///< The prompt ends inside a thought.
};

/// @param thinking_open  The prompt ends inside a thought.
/// @param wanted         The request asks for thoughts.
ThoughtState thought_state(const AnswerTokens& tokens, bool thinking_open, bool wanted);

class AnswerGuide final : public ml::TokenGuide {
  public:
    /// @param tokens  Must outlive the guide.
    AnswerGuide(std::unique_ptr<ml::GrammarGuide> answer,
                const AnswerTokens& tokens,
                ThoughtState state);

    /// A thought is ended when the answer needs the tokens that are left.
    ml::Allowed next(std::int32_t n_left) override;
    void accept(ml::TokenId id) override;

  private:
    void read_thought(ml::TokenId id);

    std::unique_ptr<ml::GrammarGuide> answer_;
    const AnswerTokens& tokens_;
    ThoughtState state_;
    std::vector<std::uint64_t> in_thought_;  // everything but the ends of a turn
    std::string seen_;                       // the end of a thought whose tags are text
};

}  // namespace notso::services
