// AnswerParser: turns generated tokens into chat events. It splits thinking from the answer,
// assembles UTF-8, obeys stop strings and attaches log probabilities. No threads here; one parser
// per answer.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.hpp"
#include "ml/runtime/engine.hpp"
#include "ml/tokenizer/tokenizer.hpp"
#include "services/backend/chat_backend.hpp"
#include "services/backend/stop_matcher.hpp"

namespace notso::services {

/// The tokens that have a meaning for the parser, looked up by name once per model.
struct AnswerTokens {
    explicit AnswerTokens(const ml::Tokenizer& vocabulary);

    const ml::Tokenizer& tokenizer;
    std::optional<ml::TokenId> think;
    std::optional<ml::TokenId> think_end;
    std::vector<ml::TokenId>
        shown;  ///< Control tokens whose text is part of the answer (tool calls).

    /// Both ends of thinking are tokens; otherwise thinking is recognised by the text tags <think>
    /// and </think>.
    bool has_think_tokens() const { return think && think_end; }
};

struct AnswerOptions {
    bool thinking_open = false;  ///< The prompt ends inside <think>.
    std::vector<std::string> stop = {};
    bool logprobs = false;
};

class AnswerParser {
  public:
    /// @param tokens   Must outlive the parser.
    /// @param handler  Gets the events; must outlive the parser's calls.
    AnswerParser(const AnswerTokens& tokens, AnswerOptions options, ChatEventHandler& handler);

    void push(const ml::GeneratedToken& token);
    /// Delivers what is held back. Bytes of an unfinished character become U+FFFD after a natural
    /// end and are left out when the answer was cut.
    void finish(bool was_cut);

    /// A stop string came: nothing more is delivered.
    bool stopped() const noexcept { return stops_.stopped(); }
    /// Tokens spent on thinking, its tags included.
    std::int64_t reasoning_tokens() const noexcept { return reasoning_tokens_; }

  private:
    enum class Mode {
        kOpening,
        kThinking,
        kText
    };  // kOpening: a text tag may still begin the answer

    std::string_view visible_bytes(ml::TokenId id) const;
    void remember_logprob(const ml::GeneratedToken& token, std::string_view text);
    void on_text(std::string_view text);
    void open_by_text(std::string_view text);
    void begin_thinking();
    void end_thinking();
    void think_text(std::string_view text);
    void show_thinking(std::string_view text);
    void answer_text(std::string_view text);
    void deliver(std::string text);

    const AnswerTokens& tokens_;
    ChatEventHandler& handler_;
    const bool logprobs_;
    Mode mode_;
    Utf8Assembler assembler_;
    StopMatcher stops_;
    StopMatcher think_tag_;        // finds </think> written as text
    std::string opening_;          // text that may become <think>
    bool thinking_shown_ = false;  // ThinkingStarted was sent
    bool trim_newlines_ = false;   // right after thinking
    std::int64_t completion_tokens_ = 0;
    std::int64_t reasoning_tokens_ = 0;

    struct PendingLogprob {
        TokenLogprobs value;
        std::size_t end;  // of the token's text, in bytes of the answer
    };
    std::deque<PendingLogprob> pending_;
    std::size_t fed_ = 0;        // bytes of the answer given to the stop matcher
    std::size_t delivered_ = 0;  // of these, bytes that were delivered
};

}  // namespace notso::services
