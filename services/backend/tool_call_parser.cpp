// Every decision depends on the text up to it alone, never on how it was cut. See
// tool_call_parser.hpp.
#include "services/backend/tool_call_parser.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.hpp"
#include "services/prompt/tool_texts.hpp"

namespace notso::services {
namespace {

// Marks that begin no call, after which the rest of an answer is taken for text: looking again
// costs its length.
constexpr int kMaxFailures = 32;

constexpr std::array<std::string_view, 6> kCallKeys = {
    "name", "arguments", "parameters", "function", "type", "id"};

bool only_white_space(std::string_view text) {
    return text.find_first_not_of(kWhiteSpace) == std::string_view::npos;
}

/// Bytes at the end of `text` that may become `tag`.
std::size_t begun_tag_bytes(std::string_view text, std::string_view tag) {
    std::size_t size = std::min(text.size(), tag.size() - 1);
    while (!text.ends_with(tag.substr(0, size))) --size;
    return size;
}

}  // namespace

std::string_view marker_text(CallMarker marker) {
    switch (marker) {
        case CallMarker::kCallBegin:
            return kToolCallTag;
        case CallMarker::kCallEnd:
            return kToolCallEndTag;
        case CallMarker::kCodeBegin:
            return kCodeTag;
        case CallMarker::kCodeEnd:
            return kCodeEndTag;
        case CallMarker::kPythonTag:
            break;
    }
    return {};
}

ToolCallParser::ToolCallParser(std::vector<OfferedTool> tools, ToolCallSyntax syntax)
    : tools_(std::move(tools)), syntax_(syntax), bare_possible_(syntax.bare_json) {
    any_code_ = std::ranges::any_of(tools_, &OfferedTool::by_code);
    any_json_ = !std::ranges::all_of(tools_, &OfferedTool::by_code);
}

void ToolCallParser::push(std::string_view text) {
    pending_ += text;
    run();
}

void ToolCallParser::push(CallMarker marker) {
    const std::string_view text = marker_text(marker);
    switch (marker) {
        case CallMarker::kCallBegin:
        case CallMarker::kCodeBegin: {
            const Mode mode = marker == CallMarker::kCallBegin ? Mode::kCall : Mode::kCode;
            if (!looks_for(mode)) return push(text);
            settle();
            return open(mode, pending_.size(), text);
        }
        case CallMarker::kCallEnd:
        case CallMarker::kCodeEnd:
            if (mode_ == (marker == CallMarker::kCallEnd ? Mode::kCall : Mode::kCode))
                return end_by_marker(text);
            return push(text);
        case CallMarker::kPythonTag:
            if (mode_ != Mode::kText || failures_ >= kMaxFailures) return;
            return open(Mode::kBare, pending_.size(), {});
    }
}

void ToolCallParser::finish() {
    settle();
    if (had_call_ && !shown_text_ && !pending_.empty() && only_white_space(pending_)) {
        parts_.push_back({.bytes = pending_.size()});
        pending_.clear();
    }
    show(pending_.size());
}

std::vector<AnswerPart> ToolCallParser::take() { return std::exchange(parts_, {}); }

void ToolCallParser::run() {
    for (bool more = true; more;) {
        switch (mode_) {
            case Mode::kText:
                more = run_text();
                break;
            case Mode::kCall:
                more = run_call();
                break;
            case Mode::kCode:
                more = run_code();
                break;
            case Mode::kBare:
                more = run_bare();
                break;
        }
    }
}

/// True when a call was opened.
bool ToolCallParser::run_text() {
    if (pending_.empty()) return false;
    if (bare_possible_ && open_bare()) return true;
    const Tag tag = find_tag();
    if (tag.at != std::string::npos) {
        const std::size_t behind = tag.at + tag.text.size();
        const std::string rest = pending_.substr(behind);
        pending_.resize(tag.at);
        open(tag.mode, tag.at, tag.text);
        pending_ = rest;
        return true;
    }
    const std::size_t certain = pending_.size() - held_tag_bytes();
    if (shown_text_ || !only_white_space(std::string_view(pending_).substr(0, certain)))
        show(certain);
    return false;
}

/// An answer that begins with a brace may be a call as a whole.
bool ToolCallParser::open_bare() {
    const std::size_t at = pending_.find_first_not_of(kWhiteSpace);
    if (at == std::string::npos) return false;
    bare_possible_ = false;
    if (pending_[at] != '{' || !any_json_) return false;
    const std::string rest = pending_.substr(at);
    pending_.resize(at);
    open(Mode::kBare, at, {});
    pending_ = rest;
    return true;
}

/// @param before  Bytes of pending_ in front of the marker, all that is there. White space alone
/// goes with it.
void ToolCallParser::open(Mode mode, std::size_t before, std::string_view marker) {
    if (shown_text_ || !only_white_space(pending_)) {
        show(before);
        marker_.clear();
    } else {
        marker_ = std::exchange(pending_, {});
    }
    marker_ += marker;
    mode_ = mode;
    bare_possible_ = false;
    scanner_ = {};
    scanned_ = bare_begin_ = 0;
    is_bare_code_ = false;
}

bool ToolCallParser::run_call() {
    const std::string_view all = pending_;
    for (; scanned_ < all.size(); ++scanned_) {
        const std::string_view rest = all.substr(scanned_);
        if (rest[0] == '<' && !scanner_.in_string() && !syntax_.call_tokens) {
            if (rest.starts_with(kToolCallEndTag)) return close(scanned_, kToolCallEndTag.size());
            if (rest.starts_with(kToolCallTag)) return close(scanned_, 0);
            if (kToolCallEndTag.starts_with(rest) || kToolCallTag.starts_with(rest)) return false;
        }
        const bool garbage = scanner_.complete() && !kWhiteSpace.contains(rest[0]);
        if (garbage || !scanner_.push(rest[0])) {
            release();
            return true;
        }
    }
    return false;
}

bool ToolCallParser::run_code() {
    if (syntax_.code_tokens) return false;
    const std::size_t end = pending_.find(kCodeEndTag, scanned_);
    if (end != std::string::npos) return close(end, kCodeEndTag.size());
    scanned_ = pending_.size() - begun_tag_bytes(pending_, kCodeEndTag);
    return false;
}

bool ToolCallParser::run_bare() {
    for (; scanned_ < pending_.size(); ++scanned_) {
        if (bare_byte(scanned_)) continue;
        release();
        return true;
    }
    return false;
}

/// False when the text is no list of calls.
bool ToolCallParser::bare_byte(std::size_t at) {
    const char c = pending_[at];
    if (is_bare_code_) return true;
    if (!scanner_.begun() && c != '{') {
        const bool between = kWhiteSpace.contains(c) || c == ',' || c == ';';
        is_bare_code_ =
            !between && any_code_ && only_white_space(std::string_view(pending_).substr(0, at));
        return between || is_bare_code_;
    }
    if (!scanner_.begun()) bare_begin_ = at;
    scanner_.push(c);
    if (c == '"' && !scanner_.in_string() && !may_be_bare_call()) return false;
    if (!scanner_.complete()) return true;
    scanner_ = {};
    return !parse_json_calls(std::string_view(pending_).substr(bare_begin_, at + 1 - bare_begin_),
                             tools_)
                .empty();
}

/// Looks at the first key: a long JSON answer of another kind must not wait for its end.
bool ToolCallParser::may_be_bare_call() const {
    const std::string_view object =
        std::string_view(pending_).substr(bare_begin_, scanned_ + 1 - bare_begin_);
    const std::size_t begin = object.find('"');
    const std::string_view key = object.substr(begin + 1, object.find('"', begin + 1) - begin - 1);
    return std::ranges::find(kCallKeys, key) != kCallKeys.end();
}

void ToolCallParser::end_by_marker(std::string_view marker) {
    const std::size_t body = pending_.size();
    pending_ += marker;
    if (close(body, marker.size()) && mode_ == Mode::kText) run();
}

/// The call ends: it is delivered, or shown as text.
/// @param end_bytes  Of the mark behind it. @return True.
bool ToolCallParser::close(std::size_t body_bytes, std::size_t end_bytes) {
    const std::string_view body = std::string_view(pending_).substr(0, body_bytes);
    std::vector<ParsedToolCall> calls;
    if (mode_ == Mode::kCall) calls = parse_json_calls(body, tools_);
    if (mode_ == Mode::kCode) calls = parse_code_calls(body, tools_);
    if (mode_ == Mode::kBare) calls = parse_json_call_list(body, tools_);
    if (mode_ == Mode::kBare && calls.empty() && any_code_) calls = parse_code_calls(body, tools_);
    if (calls.empty()) {
        release();
        return true;
    }
    parts_.push_back({.calls = std::move(calls), .bytes = marker_.size() + body_bytes + end_bytes});
    pending_.erase(0, body_bytes + end_bytes);
    mode_ = Mode::kText;
    shown_text_ = false;
    had_call_ = true;
    return true;
}

/// It was no call: the mark is text, and what stands behind it is looked at once more.
void ToolCallParser::release() {
    ++failures_;
    mode_ = Mode::kText;
    if (!marker_.empty()) add_text(std::exchange(marker_, {}));
    shown_text_ = true;
}

/// Ends a call that is under way, as well as it can be. Text mode afterwards.
void ToolCallParser::settle() {
    while (mode_ != Mode::kText) {
        // A whole call whose end mark is cut off is one all the same.
        const bool whole = mode_ == Mode::kCall && scanner_.complete();
        const std::size_t body = whole ? scanned_ : pending_.size();
        close(body, pending_.size() - body);
        run();
    }
}

void ToolCallParser::show(std::size_t n) {
    if (n == 0) return;
    shown_text_ = true;
    add_text(std::string_view(pending_).substr(0, n));
    pending_.erase(0, n);
}

void ToolCallParser::add_text(std::string_view text) {
    if (parts_.empty() || !parts_.back().calls.empty() || parts_.back().text.empty())
        parts_.emplace_back();
    parts_.back().text += text;
    parts_.back().bytes += text.size();
}

ToolCallParser::Tag ToolCallParser::find_tag() const {
    Tag tag;
    const auto look = [&](Mode mode, std::string_view text, bool by_token) {
        if (by_token || !looks_for(mode)) return;
        const std::size_t at = pending_.find(text);
        if (at < tag.at) tag = {at, mode, text};
    };
    look(Mode::kCall, kToolCallTag, syntax_.call_tokens);
    look(Mode::kCode, kCodeTag, syntax_.code_tokens);
    return tag;
}

std::size_t ToolCallParser::held_tag_bytes() const {
    std::size_t held = 0;
    if (looks_for(Mode::kCall) && !syntax_.call_tokens)
        held = begun_tag_bytes(pending_, kToolCallTag);
    if (looks_for(Mode::kCode) && !syntax_.code_tokens)
        held = std::max(held, begun_tag_bytes(pending_, kCodeTag));
    return held;
}

bool ToolCallParser::looks_for(Mode mode) const {
    return failures_ < kMaxFailures && (mode == Mode::kCode ? any_code_ : any_json_);
}

}  // namespace notso::services
