// LineEditor: one line (or a pasted text of several) edited at a terminal, by libedit. It adds what
// libedit lacks: pasted text that is not sent line by line, Ctrl-C as an event, and the new width
// when the window changes while a line is typed.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "app/interrupts.hpp"

namespace notso::app {

enum class LineEnd { kLine, kEndOfInput, kInterrupted };

struct ReadLine {
    LineEnd end = LineEnd::kEndOfInput;
    std::string text = {};  ///< Without the line break at its end.
};

/// Bytes of a pasted text that are taken; what is beyond is left out.
inline constexpr std::size_t kMaxPastedBytes = 256 << 10;

class LineEditor {
  public:
    /// @param interrupts  Outlives this.
    explicit LineEditor(Interrupts& interrupts);
    ~LineEditor();
    LineEditor(const LineEditor&) = delete;
    LineEditor& operator=(const LineEditor&) = delete;

    ReadLine read(const std::string& prompt);
    /// Found by Up and Ctrl-R from now on.
    void remember(const std::string& entry);

  private:
    struct State;  // libedit's

    std::unique_ptr<State> state_;
};

/// Of the terminal that stdout is; 80 where that is not known.
std::size_t window_columns();
/// TERM says that the terminal understands more than bare text.
bool understands_escapes();

/// A pasted text as it becomes part of a message: line breaks are "\n", none at its end; no other
/// control characters but tabs.
std::string clean_pasted(std::string_view text);

}  // namespace notso::app
