#include "app/line_reader.hpp"

#include <histedit.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <clocale>
#include <cwchar>

namespace notso::app {
namespace {

enum class Wait { kInput, kSignal };

/// Sleeps until stdin has bytes or a signal is pending.
Wait wait_for_input(Interrupts& interrupts) {
    std::array<pollfd, 2> watched{{{interrupts.fd(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    while (true) {
        if (::poll(watched.data(), watched.size(), -1) < 0) continue;
        if ((watched[0].revents & POLLIN) != 0 && interrupts.take()) return Wait::kSignal;
        if (watched[1].revents != 0) return Wait::kInput;
    }
}

}  // namespace

struct LineReader::Editor {
    explicit Editor(Interrupts& signals)
        : interrupts(signals),
          edit(::el_init("notso", stdin, stdout, stderr)),
          history(::history_init()) {
        HistEvent ignored;
        ::history(history, &ignored, H_SETSIZE, 200);
        ::el_set(edit, EL_CLIENTDATA, this);
        ::el_set(edit, EL_PROMPT, &Editor::prompt_text);
        ::el_set(edit, EL_EDITOR, "emacs");
        ::el_set(edit, EL_HIST, &::history, history);
        ::el_set(edit, EL_GETCFN, &Editor::read_character);
    }
    ~Editor() {
        ::el_end(edit);
        ::history_end(history);
    }

    static char* prompt_text(EditLine* edit) {
        Editor* self = nullptr;
        ::el_get(edit, EL_CLIENTDATA, &self);
        return self->prompt.data();
    }

    /// libedit's source of characters: one at a time, so that a signal can end the line.
    static int read_character(EditLine* edit, wchar_t* out) {
        Editor* self = nullptr;
        ::el_get(edit, EL_CLIENTDATA, &self);
        std::mbstate_t state{};
        while (true) {
            if (wait_for_input(self->interrupts) == Wait::kSignal) {
                self->interrupted = true;
                return -1;
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

    Interrupts& interrupts;
    EditLine* edit;
    History* history;
    std::string prompt;
    bool interrupted = false;
};

LineReader::LineReader(Interrupts& interrupts) : interrupts_(interrupts) {
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) return;
    // Without a UTF-8 locale libedit would drop every non-ASCII letter.
    if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1)
        std::setlocale(LC_CTYPE, "C.UTF-8");
    editor_ = std::make_unique<Editor>(interrupts);
}

LineReader::~LineReader() = default;

ReadLine LineReader::next() {
    ReadLine line = read("> ");
    HistEvent ignored;
    if (editor_ && !line.text.empty())
        ::history(editor_->history, &ignored, H_ENTER, line.text.c_str());
    return line;
}

ReadLine LineReader::ask(const std::string& question) { return read(question); }

ReadLine LineReader::read(const std::string& prompt) {
    if (!editor_) return next_piped();
    editor_->prompt = prompt;
    editor_->interrupted = false;
    int count = 0;
    // libedit shows the prompt first and takes the terminal after: what is typed in between would
    // be treated as if no editor was there, and Ctrl-D would be lost.
    ::el_set(editor_->edit, EL_PREP_TERM, 1);
    const char* line = ::el_gets(editor_->edit, &count);
    if (editor_->interrupted) {
        std::fputc('\n', stdout);
        ::el_reset(editor_->edit);
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

ReadLine LineReader::next_piped() {
    std::array<char, 4096> bytes;
    while (true) {
        if (const auto end = buffer_.find('\n'); end != std::string::npos) {
            std::string line = buffer_.substr(0, end);
            buffer_.erase(0, end + 1);
            return {LineEnd::kLine, std::move(line)};
        }
        if (at_end_)
            return buffer_.empty() ? ReadLine{}
                                   : ReadLine{LineEnd::kLine, std::exchange(buffer_, {})};
        if (wait_for_input(interrupts_) == Wait::kSignal) return {LineEnd::kInterrupted};
        const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
        if (got > 0) buffer_.append(bytes.data(), static_cast<std::size_t>(got));
        at_end_ = got <= 0;
    }
}

}  // namespace notso::app
