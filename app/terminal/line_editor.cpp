#include "app/terminal/line_editor.hpp"

#include <fmt/format.h>
#include <histedit.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include <algorithm>
#include <array>
#include <climits>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <utility>

#include "app/answer.hpp"

namespace notso::app {
namespace {

// What terminals send around a pasted text, once they are asked to.
constexpr std::string_view kAskForPaste = "\x1b[?2004h";
constexpr std::string_view kNoMorePaste = "\x1b[?2004l";
constexpr std::string_view kPasteEnds = "\x1b[201~";

constexpr int kHistorySize = 500;
constexpr std::size_t kUsualColumns = 80;

/// Keys that libedit does not know by itself: what terminals send, and libedit's name for it.
constexpr std::array<std::array<const char*, 2>, 12> kKeys = {{
    {"\\033[200~", "notso-paste"},
    {"\\033^M", "notso-line-break"},
    {"\\033^J", "notso-line-break"},
    {"^R", "em-inc-search-prev"},
    {"\\033[H", "ed-move-to-beg"},
    {"\\033[F", "ed-move-to-end"},
    {"\\033[1~", "ed-move-to-beg"},
    {"\\033[4~", "ed-move-to-end"},
    {"\\033[3~", "ed-delete-next-char"},
    {"\\033[1;5D", "ed-prev-word"},
    {"\\033[1;5C", "em-next-word"},
    {"^W", "ed-delete-prev-word"},
}};

enum class Wait { kInput, kSignal, kResized };

/// Sleeps until stdin has bytes, a signal is pending, or the window is another one.
Wait wait_for_input(Interrupts& interrupts) {
    std::array<pollfd, 3> watched{{{interrupts.fd(), POLLIN, 0},
                                   {interrupts.window_fd(), POLLIN, 0},
                                   {STDIN_FILENO, POLLIN, 0}}};
    while (true) {
        if (::poll(watched.data(), watched.size(), -1) < 0) continue;
        if ((watched[0].revents & POLLIN) != 0 && interrupts.take()) return Wait::kSignal;
        if ((watched[1].revents & POLLIN) != 0 && interrupts.take_window()) return Wait::kResized;
        if (watched[2].revents != 0) return Wait::kInput;
    }
}

void ask_terminal(std::string_view sequence) {
    std::fwrite(sequence.data(), 1, sequence.size(), stdout);
    std::fflush(stdout);
}

std::wstring as_wide(const std::string& text) {
    std::wstring wide(text.size(), L'\0');
    const std::size_t used = std::mbstowcs(wide.data(), text.c_str(), wide.size());
    wide.resize(used == static_cast<std::size_t>(-1) ? 0 : used);
    return wide;
}

}  // namespace

bool understands_escapes() {
    const char* term = std::getenv("TERM");
    return term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

std::size_t window_columns() {
    winsize size{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : kUsualColumns;
}

std::string clean_pasted(std::string_view text) {
    std::string unix;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
        if (!pair) unix += text[i] == '\r' ? '\n' : text[i];
    }
    std::string clean = terminal_safe(unix);
    clean.resize(clean.find_last_not_of('\n') + 1);
    return clean;
}

struct LineEditor::State {
    explicit State(Interrupts& signals)
        : interrupts(signals),
          edit(::el_init("notso", stdin, stdout, stderr)),
          history(::history_init()) {
        HistEvent ignored;
        ::history(history, &ignored, H_SETSIZE, kHistorySize);
        ::history(history, &ignored, H_SETUNIQUE, 1);
        ::el_set(edit, EL_CLIENTDATA, this);
        ::el_set(edit, EL_PROMPT, &State::prompt_text);
        ::el_set(edit, EL_EDITOR, "emacs");
        ::el_set(edit, EL_HIST, &::history, history);
        ::el_set(edit, EL_GETCFN, &State::read_character);
        ::el_set(edit, EL_ADDFN, "notso-paste", "Take a pasted text as it is", &State::paste);
        ::el_set(edit, EL_ADDFN, "notso-line-break", "Begin another line", &State::line_break);
        for (const auto& [key, function] : kKeys) ::el_set(edit, EL_BIND, key, function, nullptr);
    }
    ~State() {
        ::el_end(edit);
        ::history_end(history);
    }

    static State* of(EditLine* edit) {
        State* self = nullptr;
        ::el_get(edit, EL_CLIENTDATA, &self);
        return self;
    }

    static char* prompt_text(EditLine* edit) { return of(edit)->prompt.data(); }

    /// libedit's source of characters: one at a time, so that a signal can end the line.
    static int read_character(EditLine* edit, wchar_t* out) {
        State* self = of(edit);
        std::mbstate_t state{};
        while (true) {
            const Wait woken = wait_for_input(self->interrupts);
            if (woken == Wait::kSignal) {
                self->interrupted = true;
                return -1;
            }
            if (woken == Wait::kResized) {
                self->redraw();
                continue;
            }
            char byte = 0;
            if (::read(STDIN_FILENO, &byte, 1) <= 0) return 0;
            // A Ctrl-D from before the prompt arrives as a zero, which would be part of the line.
            if (byte == 0) continue;
            const std::size_t used = std::mbrtowc(out, &byte, 1, &state);
            if (used == static_cast<std::size_t>(-2))
                continue;  // more bytes of this character follow
            if (used == static_cast<std::size_t>(-1)) {
                state = std::mbstate_t{};
                continue;
            }
            return 1;
        }
    }

    /// After the window changed, or the program was stopped and goes on. What stands above the
    /// line that is typed is left alone, whether or not the terminal has broken the line anew.
    void redraw() {
        const std::size_t before = std::exchange(columns, window_columns());
        const std::size_t rows = std::min(rows_above(before), rows_above(columns));
        ::el_set(edit, EL_PREP_TERM, 1);
        ::el_resize(edit);
        if (understands_escapes()) {
            ask_terminal(rows > 0 ? fmt::format("\r\x1b[{}A\x1b[J", rows) : "\r\x1b[J");
        } else {
            ask_terminal("\n");
        }
        ::el_set(edit, EL_REFRESH);
    }

    /// Rows of the prompt and the text that are above the cursor in a window of that width.
    std::size_t rows_above(std::size_t width) const {
        const LineInfoW* line = ::el_wline(edit);
        std::wstring text = as_wide(prompt);
        text.append(line->buffer, line->cursor);
        std::size_t rows = 0;
        std::size_t column = 0;
        for (const wchar_t character : text) {
            const int taken = ::wcwidth(character);
            const std::size_t size = taken > 0 ? static_cast<std::size_t>(taken) : 0;
            const bool breaks = character == L'\n' || column + size > width;
            rows += breaks ? 1 : 0;
            column = (breaks ? 0 : column) + size;
        }
        return rows + (column == width ? 1 : 0);  // libedit moves on when a row is full
    }

    static unsigned char paste(EditLine* edit, int /*key*/) {
        std::string text;
        while (!text.ends_with(kPasteEnds)) {
            wchar_t character = 0;
            if (read_character(edit, &character) != 1) return CC_EOF;
            std::array<char, MB_LEN_MAX> bytes;
            std::mbstate_t state{};
            const std::size_t size = std::wcrtomb(bytes.data(), character, &state);
            if (size == static_cast<std::size_t>(-1)) continue;
            text.append(bytes.data(), size);
            if (text.size() > kMaxPastedBytes + kPasteEnds.size())
                text.erase(kMaxPastedBytes, text.size() - kMaxPastedBytes - kPasteEnds.size());
        }
        text.resize(text.size() - kPasteEnds.size());
        return insert(edit, clean_pasted(text));
    }

    static unsigned char line_break(EditLine* edit, int /*key*/) { return insert(edit, "\n"); }

    static unsigned char insert(EditLine* edit, const std::string& text) {
        const std::wstring wide = as_wide(text);
        if (wide.empty()) return CC_NORM;
        return ::el_winsertstr(edit, wide.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
    }

    Interrupts& interrupts;
    EditLine* edit;
    ::History* history;
    std::string prompt;
    std::size_t columns = kUsualColumns;  // of the window, when the line was drawn
    bool interrupted = false;
};

LineEditor::LineEditor(Interrupts& interrupts) {
    // Without a UTF-8 locale libedit would drop every non-ASCII letter.
    if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1)
        std::setlocale(LC_CTYPE, "C.UTF-8");
    state_ = std::make_unique<State>(interrupts);
    if (understands_escapes()) ask_terminal(kAskForPaste);
}

LineEditor::~LineEditor() {
    if (understands_escapes()) ask_terminal(kNoMorePaste);
}

void LineEditor::remember(const std::string& entry) {
    HistEvent ignored;
    ::history(state_->history, &ignored, H_ENTER, entry.c_str());
}

ReadLine LineEditor::read(const std::string& prompt) {
    state_->prompt = prompt;
    state_->interrupted = false;
    state_->columns = window_columns();
    int count = 0;
    // libedit shows the prompt first and takes the terminal after: what is typed in between would
    // be treated as if no editor was there, and Ctrl-D would be lost.
    ::el_set(state_->edit, EL_PREP_TERM, 1);
    const char* line = ::el_gets(state_->edit, &count);
    if (state_->interrupted) {
        std::fputc('\n', stdout);
        ::el_reset(state_->edit);
        return {LineEnd::kInterrupted};
    }
    if (line == nullptr || count <= 0) {
        std::fputc('\n', stdout);
        return {LineEnd::kEndOfInput};
    }
    std::string text(line, static_cast<std::size_t>(count));
    if (text.ends_with('\n')) text.pop_back();
    return {LineEnd::kLine, std::move(text)};
}

}  // namespace notso::app
