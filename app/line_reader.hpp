// Lines typed by a person (line editing and history by libedit) or piped in. A signal ends the wait
// for a line.
#pragma once

#include <memory>
#include <string>

#include "app/interrupts.hpp"

namespace notso::app {

enum class LineEnd { kLine, kEndOfInput, kInterrupted };

struct ReadLine {
    LineEnd end = LineEnd::kEndOfInput;
    std::string text = {};  ///< Without the line break.
};

class LineReader {
  public:
    explicit LineReader(Interrupts& interrupts);
    ~LineReader();
    LineReader(const LineReader&) = delete;
    LineReader& operator=(const LineReader&) = delete;

    /// True when a person types: stdin and stdout are a terminal.
    bool interactive() const noexcept { return editor_ != nullptr; }
    ReadLine next();
    /// The same with a question in front, and not kept in the history.
    ReadLine ask(const std::string& question);

  private:
    struct Editor;  // libedit's state

    ReadLine read(const std::string& prompt);
    ReadLine next_piped();

    Interrupts& interrupts_;
    std::unique_ptr<Editor> editor_;
    std::string buffer_;  // piped input that was read but not yet returned
    bool at_end_ = false;
};

}  // namespace notso::app
