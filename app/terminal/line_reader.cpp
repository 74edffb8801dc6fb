#include "app/terminal/line_reader.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace notso::app {

LineReader::LineReader(Interrupts& interrupts) : interrupts_(interrupts) {
    if (::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0)
        editor_ = std::make_unique<LineEditor>(interrupts);
}

Result<> LineReader::use_history(const std::filesystem::path& file) {
    if (!editor_) return {};
    history_.emplace(file);
    NOTSO_TRY(const auto entries, history_->load());
    for (const std::string& entry : entries) editor_->remember(entry);
    return {};
}

ReadLine LineReader::next() {
    while (true) {
        ReadLine line = read_line(message_.is_open() ? "… " : "> ");
        if (line.end == LineEnd::kInterrupted) {
            message_.take();
            return line;
        }
        const bool at_end = line.end == LineEnd::kEndOfInput;
        if (at_end && !message_.is_open()) return line;
        if (!at_end && !message_.add(line.text)) continue;
        line = {LineEnd::kLine, message_.take()};
        keep(line.text);
        return line;
    }
}

ReadLine LineReader::ask(const std::string& question) { return read_line(question); }

std::optional<Error> LineReader::history_problem() { return std::exchange(problem_, std::nullopt); }

void LineReader::keep(const std::string& entry) {
    if (!editor_ || entry.find_first_not_of(" \t\n") == std::string::npos) return;
    editor_->remember(entry);
    if (!history_) return;
    if (Result<> added = history_->add(entry); !added) problem_ = std::move(added).error();
}

ReadLine LineReader::read_line(const std::string& prompt) {
    return editor_ ? editor_->read(prompt) : next_piped();
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
        std::array<pollfd, 2> watched{{{interrupts_.fd(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
        if (::poll(watched.data(), watched.size(), -1) < 0) continue;
        if ((watched[0].revents & POLLIN) != 0 && interrupts_.take())
            return {LineEnd::kInterrupted};
        if (watched[1].revents == 0) continue;
        const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
        if (got > 0) buffer_.append(bytes.data(), static_cast<std::size_t>(got));
        at_end_ = got <= 0;
    }
}

}  // namespace notso::app
