// AnswerParser: turns generated tokens into chat events. It splits thinking and calls of tools from
// the answer, assembles UTF-8, obeys stop strings and attaches log probabilities. No threads here;
// one parser per answer.
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
#include "services/backend/tool_call_parser.hpp"

namespace notso::services {

/// The tokens that have a meaning for the parser, looked up by name once per model.
struct AnswerTokens {
    explicit AnswerTokens(const ml::Tokenizer& vocabulary);

    const ml::Tokenizer& tokenizer;
    std::optional<ml::TokenId> think;
    std::optional<ml::TokenId> think_end;
    std::optional<ml::TokenId> tool_call;
    std::optional<ml::TokenId> tool_call_end;
    std::optional<ml::TokenId> code;
    std::optional<ml::TokenId> code_end;
    std::optional<ml::TokenId> python_tag;  ///< Llama 3's.
    std::vector<ml::TokenId>
        shown;  ///< Control tokens whose text is part of the answer (tool calls).
    /// What a thought that is ended from outside ends with, so that the answer follows from
    /// something; its end tag comes after it.
    std::vector<ml::TokenId> thought_closing;
    std::optional<ml::TokenId> line_end;  ///< The token that is one line end.
    std::int32_t n_call_closing =
        0;  ///< Tokens of the end mark of a call, with a line end before it.

    /// Both ends of thinking are tokens; otherwise thinking is recognised by the text tags <think>
    /// and </think>.
    bool has_think_tokens() const { return think && think_end; }
    /// What the token means for calls of tools.
    std::optional<CallMarker> marker_of(ml::TokenId id) const;
    ToolCallSyntax call_syntax() const;
};

struct AnswerOptions {
    bool thinking_open = false;  ///< The prompt ends inside <think>.
    std::vector<std::string> stop = {};
    bool logprobs = false;
    std::vector<OfferedTool> tools = {};  ///< None: what looks like a call is text.
    bool one_call = false;                ///< The answer ends with its first call.
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

    /// A stop string or the one call came: nothing more is delivered.
    bool stopped() const noexcept { return stops_.stopped() || (one_call_ && n_calls_ > 0); }
    std::int64_t n_calls() const noexcept { return n_calls_; }
    bool thinking() const noexcept { return mode_ == Mode::kThinking; }
    /// Nothing of the answer itself has come yet.
    bool at_beginning() const noexcept { return fed_ == 0 && n_calls_ == 0; }
    /// The last token ended inside a character.
    bool inside_character() const noexcept { return assembler_.pending() > 0; }
    /// See ToolCallParser::call_body.
    const std::string* call_body() const noexcept { return calls_ ? calls_->call_body() : nullptr; }
    /// Who ends the thoughts that are under way, if it is not the model.
    void thinking_ends_by(ThinkingEndReason reason) noexcept { end_reason_ = reason; }
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
    void on_marker(CallMarker marker);
    void deliver_parts();
    void deliver_calls(const AnswerPart& part);
    void deliver(std::string text);

    const AnswerTokens& tokens_;
    ChatEventHandler& handler_;
    const bool logprobs_;
    const bool one_call_;
    Mode mode_;
    Utf8Assembler assembler_;
    std::optional<ToolCallParser> calls_;  // where tools are offered
    StopMatcher stops_;
    StopMatcher think_tag_;        // finds </think> written as text
    std::string opening_;          // text that may become <think>
    bool thinking_shown_ = false;  // ThinkingStarted was sent
    bool trim_newlines_ = false;   // right after thinking
    ThinkingEndReason end_reason_ = ThinkingEndReason::kModel;
    std::int64_t n_calls_ = 0;
    std::int64_t completion_tokens_ = 0;
    std::int64_t reasoning_tokens_ = 0;

    struct PendingLogprob {
        TokenLogprobs value;
        std::size_t end;  // of the token's text, in bytes of the answer
    };
    std::deque<PendingLogprob> pending_;
    std::size_t fed_ = 0;        // bytes of the answer so far, calls included
    std::size_t delivered_ = 0;  // of these, bytes that were delivered
};

}  // namespace notso::services
