// Implementation of the parser: token -> bytes -> UTF-8 -> thinking or answer -> stop strings ->
// event.
#include "services/backend/answer_parser.hpp"

#include <algorithm>
#include <utility>

#include "base/random.hpp"
#include "services/prompt/thinking_flags.hpp"
#include "services/prompt/tool_texts.hpp"

namespace notso::services {
namespace {

constexpr std::string_view kNewlines = "\r\n";
constexpr std::string_view kThoughtClosing = "\n\nThat is enough thinking. I will answer now.\n";
constexpr std::string_view kShownControls[] = {
    kToolCallTag, kToolCallEndTag, "<tool_response>", "</tool_response>", kCodeTag, kCodeEndTag};

std::string_view without_leading(std::string_view text, std::string_view characters) {
    return text.substr(std::min(text.find_first_not_of(characters), text.size()));
}

}  // namespace

AnswerTokens::AnswerTokens(const ml::Tokenizer& vocabulary)
    : tokenizer(vocabulary),
      think(vocabulary.find(kThinkTag)),
      think_end(vocabulary.find(kThinkEndTag)),
      tool_call(vocabulary.find(kToolCallTag)),
      tool_call_end(vocabulary.find(kToolCallEndTag)),
      code(vocabulary.find(kCodeTag)),
      code_end(vocabulary.find(kCodeEndTag)),
      python_tag(vocabulary.find("<|python_tag|>")) {
    for (const std::string_view name : kShownControls) {
        if (const auto id = vocabulary.find(name)) shown.push_back(*id);
    }
    thought_closing = vocabulary.encode(kThoughtClosing);
    const std::vector<ml::TokenId> line = vocabulary.encode("\n");
    if (line.size() == 1) line_end = line.front();
    n_call_closing = static_cast<std::int32_t>(
        call_syntax().call_tokens ? 2 : vocabulary.encode(kToolCallEndTag).size() + 1);
}

std::optional<CallMarker> AnswerTokens::marker_of(ml::TokenId id) const {
    if (id == python_tag) return CallMarker::kPythonTag;
    const ToolCallSyntax syntax = call_syntax();
    if (syntax.call_tokens && id == tool_call) return CallMarker::kCallBegin;
    if (syntax.call_tokens && id == tool_call_end) return CallMarker::kCallEnd;
    if (syntax.code_tokens && id == code) return CallMarker::kCodeBegin;
    if (syntax.code_tokens && id == code_end) return CallMarker::kCodeEnd;
    return std::nullopt;
}

ToolCallSyntax AnswerTokens::call_syntax() const {
    return {.call_tokens = tool_call && tool_call_end,
            .code_tokens = code && code_end,
            .bare_json = python_tag.has_value()};
}

AnswerParser::AnswerParser(const AnswerTokens& tokens,
                           AnswerOptions options,
                           ChatEventHandler& handler)
    : tokens_(tokens),
      handler_(handler),
      logprobs_(options.logprobs),
      one_call_(options.one_call),
      mode_(tokens.has_think_tokens() ? Mode::kText : Mode::kOpening),
      stops_(std::move(options.stop)),
      think_tag_({std::string(kThinkEndTag)}) {
    if (options.thinking_open) mode_ = Mode::kThinking;
    if (!options.tools.empty()) calls_.emplace(std::move(options.tools), tokens.call_syntax());
}

void AnswerParser::push(const ml::GeneratedToken& token) {
    handler_(chat_event::Progress{++completion_tokens_, ml::to_int(token.id)});
    if (stopped()) return;
    const bool was_thinking = mode_ == Mode::kThinking;
    if (tokens_.has_think_tokens() && token.id == *tokens_.think) {
        begin_thinking();
    } else if (tokens_.has_think_tokens() && token.id == *tokens_.think_end) {
        end_thinking();
    } else if (const auto marker =
                   calls_ && !was_thinking ? tokens_.marker_of(token.id) : std::nullopt) {
        on_text(assembler_.finish());
        if (logprobs_) remember_logprob(token, marker_text(*marker));
        on_marker(*marker);
    } else if (const std::string_view bytes = visible_bytes(token.id); !bytes.empty()) {
        const std::string text = assembler_.push(bytes);
        if (logprobs_ && !was_thinking) remember_logprob(token, text);
        on_text(text);
    }
    if (was_thinking || mode_ == Mode::kThinking) ++reasoning_tokens_;
}

void AnswerParser::finish(bool was_cut) {
    const std::string broken = assembler_.finish();
    if (!was_cut && !stopped()) on_text(broken);
    if (mode_ == Mode::kOpening) {
        mode_ = Mode::kText;
        answer_text(std::exchange(opening_, {}));
    }
    if (mode_ == Mode::kThinking) {
        show_thinking(think_tag_.finish());
        end_thinking();
    }
    if (calls_ && !stopped()) calls_->finish();
    deliver_parts();
    if (!stopped()) deliver(stops_.finish());
}

std::string_view AnswerParser::visible_bytes(ml::TokenId id) const {
    const bool shown = !tokens_.tokenizer.is_control(id) ||
                       std::ranges::find(tokens_.shown, id) != tokens_.shown.end();
    return shown ? tokens_.tokenizer.token_bytes(id) : std::string_view();
}

/// @param text  What the token made complete; its place in the answer decides which event gets the
/// numbers.
void AnswerParser::remember_logprob(const ml::GeneratedToken& token, std::string_view text) {
    if (!token.logprob) return;
    const auto chance = [this](ml::TokenId id, float logprob) {
        return TokenChance{std::string(tokens_.tokenizer.token_bytes(id)),
                           static_cast<double>(logprob)};
    };
    const std::size_t size = (trim_newlines_ ? without_leading(text, kNewlines) : text).size();
    PendingLogprob pending{.value = {.chosen = chance(token.id, *token.logprob), .top = {}},
                           .end = fed_ + opening_.size() + size};
    for (const ml::TokenLogprob& other : token.top)
        pending.value.top.push_back(chance(other.id, other.logprob));
    pending_.push_back(std::move(pending));
}

void AnswerParser::on_text(std::string_view text) {
    if (text.empty()) return;
    switch (mode_) {
        case Mode::kOpening:
            return open_by_text(text);
        case Mode::kThinking:
            return think_text(text);
        case Mode::kText:
            return answer_text(text);
    }
}

/// Decides whether the answer begins with the text tag <think>.
void AnswerParser::open_by_text(std::string_view text) {
    opening_ += text;
    const std::string_view begun = without_leading(opening_, kWhiteSpace);
    if (begun.size() < kThinkTag.size() && kThinkTag.starts_with(begun)) return;
    const std::string all = std::exchange(opening_, {});
    const std::string_view rest = without_leading(all, kWhiteSpace);
    if (rest.starts_with(kThinkTag)) {
        begin_thinking();
        return on_text(rest.substr(kThinkTag.size()));
    }
    mode_ = Mode::kText;
    answer_text(all);
}

void AnswerParser::begin_thinking() {
    if (mode_ == Mode::kThinking) return;
    on_text(assembler_.finish());
    if (calls_) calls_->finish();
    deliver_parts();
    if (!stopped()) deliver(stops_.finish());  // a stop string can't reach across the thoughts
    mode_ = Mode::kThinking;
}

void AnswerParser::end_thinking() {
    if (mode_ != Mode::kThinking) return;
    show_thinking(assembler_.finish());
    mode_ = Mode::kText;
    trim_newlines_ = true;
    const auto reason = std::exchange(end_reason_, ThinkingEndReason::kModel);
    if (thinking_shown_) handler_(chat_event::ThinkingEnded{reason});
    thinking_shown_ = false;
}

void AnswerParser::think_text(std::string_view text) {
    if (tokens_.has_think_tokens()) return show_thinking(text);
    show_thinking(think_tag_.push(text));
    if (!think_tag_.stopped()) return;
    const std::string rest = think_tag_.rest();
    end_thinking();
    on_text(rest);
}

/// An empty thought (white space only) is not shown at all.
void AnswerParser::show_thinking(std::string_view text) {
    if (!thinking_shown_) text = without_leading(text, kWhiteSpace);
    if (text.empty()) return;
    if (!std::exchange(thinking_shown_, true)) handler_(chat_event::ThinkingStarted{});
    handler_(chat_event::ThinkingText{std::string(text)});
}

void AnswerParser::answer_text(std::string_view text) {
    if (trim_newlines_) text = without_leading(text, kNewlines);
    if (text.empty()) return;
    trim_newlines_ = false;
    fed_ += text.size();
    if (!calls_) return deliver(stops_.push(text));
    calls_->push(text);
    deliver_parts();
}

void AnswerParser::on_marker(CallMarker marker) {
    if (stopped()) return;
    if (mode_ == Mode::kOpening) {
        mode_ = Mode::kText;
        answer_text(std::exchange(opening_, {}));
    }
    trim_newlines_ = false;
    fed_ += marker_text(marker).size();
    calls_->push(marker);
    deliver_parts();
}

void AnswerParser::deliver_parts() {
    if (!calls_) return;
    for (const AnswerPart& part : calls_->take()) {
        if (stopped()) return;
        if (part.text.empty()) {
            deliver_calls(part);
        } else {
            deliver(stops_.push(part.text));
        }
    }
}

/// Calls, or white space that belongs to them. A stop string can't reach across them.
void AnswerParser::deliver_calls(const AnswerPart& part) {
    deliver(stops_.finish());
    delivered_ += part.bytes;
    while (!pending_.empty() && pending_.front().end <= delivered_) pending_.pop_front();
    for (const ParsedToolCall& call : part.calls) {
        if (stopped()) return;
        const std::int64_t index = n_calls_++;
        handler_(chat_event::ToolCallBegun{index, "call_" + random_id(), call.name});
        handler_(chat_event::ToolCallArguments{index, call.arguments});
        handler_(chat_event::ToolCallDone{index});
    }
}

void AnswerParser::deliver(std::string text) {
    if (text.empty()) return;
    delivered_ += text.size();
    chat_event::Text event{std::move(text)};
    while (!pending_.empty() && pending_.front().end <= delivered_) {
        event.logprobs.push_back(std::move(pending_.front().value));
        pending_.pop_front();
    }
    handler_(std::move(event));
}

}  // namespace notso::services
