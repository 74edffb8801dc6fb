// Messages that a person types (line editing and history) or pipes in. A signal ends the wait for
// one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/interrupts.hpp"
#include "app/terminal/history.hpp"
#include "app/terminal/line_editor.hpp"
#include "app/terminal/typed_message.hpp"

namespace notso::app {

class LineReader {
  public:
    /// @param interrupts  Outlives this.
    explicit LineReader(Interrupts& interrupts);

    /// True when a person types: stdin and stdout are a terminal.
    bool interactive() const noexcept { return editor_ != nullptr; }
    /// What was typed in earlier runs can be found, and this run's is kept. Only where a person
    /// types. @errors as History::load(); then nothing is kept.
    Result<> use_history(const std::filesystem::path& file);

    /// The next message, which may have several lines: see TypedMessage. The end of the input ends
    /// one that is open. @errors none; what can't be kept in the history is in history_problem().
    ReadLine next();
    /// A line with a question in front, not kept in the history.
    ReadLine ask(const std::string& question);
    /// Why the history could not be kept, once.
    std::optional<Error> history_problem();

  private:
    ReadLine read_line(const std::string& prompt);
    ReadLine next_piped();
    void keep(const std::string& entry);

    Interrupts& interrupts_;
    std::unique_ptr<LineEditor> editor_;
    std::optional<History> history_;
    std::optional<Error> problem_;
    TypedMessage message_;
    std::string buffer_;  // piped input that was read but not yet returned
    bool at_end_ = false;
};

}  // namespace notso::app
