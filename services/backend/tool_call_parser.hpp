// ToolCallParser: finds the calls of tools in an answer while it streams. Nothing of a call is ever
// shown as text unless it turns out to be none; no text before, between or after calls is lost.
// Thoughts never get here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "services/backend/tool_call_text.hpp"

namespace notso::services {

/// A piece of an answer, in order: text to be shown, or calls.
struct AnswerPart {
    std::string text = {};
    std::vector<ParsedToolCall> calls = {};
    std::size_t bytes =
        0;  ///< Of the answer, markers included. All parts together make up all that was given.
};

/// What a control token means to the parser.
enum class CallMarker { kCallBegin, kCallEnd, kCodeBegin, kCodeEnd, kPythonTag };

/// The text of a marker, as it is shown where it begins no call; nothing for <|python_tag|>.
std::string_view marker_text(CallMarker marker);

/// How the model marks calls.
struct ToolCallSyntax {
    bool call_tokens = false;  ///< <tool_call> is a token: written as text it is text.
    bool code_tokens = false;  ///< The same for <code>.
    bool bare_json = false;    ///< Llama 3: an answer that is wholly JSON is a call.
};

/// The events do not depend on how the text was cut into pieces. White space that stands alone
/// before the first call, between calls or after the last belongs to the marks, not to the text.
class ToolCallParser {
  public:
    ToolCallParser(std::vector<OfferedTool> tools, ToolCallSyntax syntax);

    /// @param text  Well-formed UTF-8.
    void push(std::string_view text);
    void push(CallMarker marker);
    /// The answer has ended, or thoughts begin: what was held back is delivered. May be used again
    /// after it.
    void finish();
    /// What is certain so far. Text parts are well-formed UTF-8, never empty.
    std::vector<AnswerPart> take();

    /// A call in JSON has begun by its mark and is not whole: what of it stands there already. Null
    /// otherwise.
    const std::string* call_body() const noexcept {
        return mode_ == Mode::kCall ? &pending_ : nullptr;
    }

  private:
    enum class Mode { kText, kCall, kCode, kBare };

    struct Tag {
        std::size_t at = std::string::npos;
        Mode mode = Mode::kText;
        std::string_view text = {};
    };

    void run();
    bool run_text();
    bool run_call();
    bool run_code();
    bool run_bare();
    bool bare_byte(std::size_t at);
    bool may_be_bare_call() const;
    void open(Mode mode, std::size_t before, std::string_view marker);
    bool open_bare();
    void end_by_marker(std::string_view marker);
    bool close(std::size_t body_bytes, std::size_t end_bytes);
    void release();
    void settle();
    void show(std::size_t n);
    void add_text(std::string_view text);
    Tag find_tag() const;
    std::size_t held_tag_bytes() const;
    bool looks_for(Mode mode) const;

    const std::vector<OfferedTool> tools_;
    const ToolCallSyntax syntax_;
    bool any_json_ = false;
    bool any_code_ = false;
    Mode mode_ = Mode::kText;
    bool shown_text_ =
        false;  // more than white space was shown since the beginning or the last call
    bool had_call_ = false;
    bool bare_possible_;
    int failures_ = 0;
    std::string pending_;         // not yet delivered; in a call: what stands behind its marker
    std::string marker_;          // the marker that opened the call, with white space before it
    std::size_t scanned_ = 0;     // bytes of pending_ that were looked at in this mode
    std::size_t bare_begin_ = 0;  // of the object that is being read
    bool is_bare_code_ = false;   // behind <|python_tag|>: Python, looked at when it is whole
    JsonScanner scanner_;
    std::vector<AnswerPart> parts_;
};

}  // namespace notso::services
