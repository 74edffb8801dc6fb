// Screen: what `notso chat` shows, and where. On a terminal everything goes to stdout, thoughts and
// side notes dimmed; elsewhere stdout gets the answers alone and stderr the rest. It knows what
// stands in the line that is open; escapes are written only where a terminal understands them.
#pragma once

#include <string>
#include <string_view>

namespace notso::app {

class Screen {
  public:
    /// Reads NO_COLOR and TERM.
    Screen();
    ~Screen() { finish(); }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    /// Stdout is a terminal.
    bool is_terminal() const { return terminal_; }

    /// Lines for the person, as they are. They begin on a line of their own.
    void say(std::string_view text);
    /// The same, dimmed, made safe and only on a terminal: what goes on beside an answer.
    void say_aside(std::string_view text);
    /// What went wrong, as one line on stderr. @see failed()
    void complain(std::string_view detail);
    /// Something has gone wrong since the beginning.
    bool failed() const { return failed_; }

    /// A line that whatever is shown next takes away again; nothing where that can't be done.
    void status(std::string_view text);

    /// Pieces of an answer.
    void thinking(std::string_view piece);
    void answer(std::string_view piece);
    /// The end of the last line of a text whose rest follows. On a terminal only.
    void answer_so_far(std::string_view text);
    /// Whatever is open ends here; the next thing is on a line of its own.
    void finish();
    /// An answer has ended: elsewhere than on a terminal a line break follows every one.
    void end_answer();

  private:
    enum class Part { kNone, kThinking, kAnswer };

    void put(std::string_view text);
    void clear_status();

    bool terminal_ = false;
    bool can_move_ = false;  // the terminal erases lines
    bool can_dim_ = false;
    bool failed_ = false;
    Part open_ = Part::kNone;
    bool at_line_start_ = true;
    std::string status_;
};

/// The end of a text that takes at most so many columns; "…" stands for what is left out.
std::string last_columns(std::string_view text, std::size_t columns);
/// The beginning, in the same way.
std::string first_columns(std::string_view text, std::size_t columns);

}  // namespace notso::app
