// How a local model goes on with an answer that was cut: its tokens, and everything that watches
// them (parser, guide) in the state that it has behind them.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "ml/sampling/token_guide.hpp"
#include "services/backend/answer_parser.hpp"
#include "services/backend/chat_backend.hpp"

namespace notso::services {

/// The tokens of what was written; where they are not known, those that the texts have now.
/// @param thinking_open  The prompt ends inside <think>.
/// @errors kInvalidArgument: a token is none of the model's.
Result<std::vector<ml::TokenId>> written_tokens(const WrittenAnswer& written,
                                                const AnswerTokens& tokens,
                                                bool thinking_open);

/// Who watches an answer.
struct AnswerWatchers {
    AnswerParser& parser;
    ChatEventHandler& handler;  ///< The parser's.
    ml::TokenGuide* guide;      ///< May be null.
};

struct Replay {
    std::vector<ChatEvent> events;  ///< What the parser told, and Resumed.
    std::int32_t n_drawn = 0;       ///< Tokens that the guide did not force.
};

/// Shows tokens to the watchers as the engine does. The handler gets nothing.
/// @param n_left  Tokens that the answer could have at its beginning.
Replay replay(const std::vector<ml::TokenId>& written,
              std::int32_t n_left,
              const AnswerWatchers& watchers);

}  // namespace notso::services
