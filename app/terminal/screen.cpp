#include "app/terminal/screen.hpp"

#include <unistd.h>
#include <wchar.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <utility>
#include <vector>

#include "app/answer.hpp"
#include "app/cli.hpp"
#include "app/terminal/line_editor.hpp"
#include "base/utf8.hpp"

namespace notso::app {
namespace {

constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kPlain = "\x1b[0m";
constexpr std::string_view kEraseLine = "\r\x1b[K";

bool is_set(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

struct Glyph {
    std::string_view bytes;
    std::size_t columns = 0;
};

std::vector<Glyph> glyphs_of(std::string_view text) {
    std::vector<Glyph> glyphs;
    while (!text.empty()) {
        const DecodedCodePoint point = decode_utf8(text);
        const int width = ::wcwidth(static_cast<wchar_t>(point.value));
        glyphs.push_back({text.substr(0, point.size), width < 0 ? 1U : std::size_t(width)});
        text.remove_prefix(point.size);
    }
    return glyphs;
}

/// How many of the first ones fit.
template <class Glyphs>
std::size_t fitting(const Glyphs& glyphs, std::size_t columns) {
    std::size_t used = 0;
    std::size_t count = 0;
    for (const Glyph& glyph : glyphs) {
        used += glyph.columns;
        if (used > columns) break;
        ++count;
    }
    return count;
}

}  // namespace

std::string last_columns(std::string_view text, std::size_t columns) {
    std::vector<Glyph> glyphs = glyphs_of(text);
    std::ranges::reverse(glyphs);
    if (fitting(glyphs, columns) == glyphs.size()) return std::string(text);
    std::string out = columns > 0 ? "…" : "";
    for (std::size_t i = columns > 0 ? fitting(glyphs, columns - 1) : 0; i > 0; --i)
        out += glyphs[i - 1].bytes;
    return out;
}

std::string first_columns(std::string_view text, std::size_t columns) {
    const std::vector<Glyph> glyphs = glyphs_of(text);
    if (fitting(glyphs, columns) == glyphs.size()) return std::string(text);
    std::string out;
    for (std::size_t i = 0; columns > 0 && i < fitting(glyphs, columns - 1); ++i)
        out += glyphs[i].bytes;
    return out + (columns > 0 ? "…" : "");
}

Screen::Screen() : terminal_(::isatty(STDOUT_FILENO) != 0) {
    can_move_ = terminal_ && understands_escapes();
    can_dim_ = can_move_ && !is_set("NO_COLOR");
}

void Screen::put(std::string_view text) {
    if (text.empty()) return;
    std::cout << text << std::flush;
    at_line_start_ = text.ends_with('\n');
}

void Screen::clear_status() {
    if (!std::exchange(status_, {}).empty()) std::cout << kEraseLine << std::flush;
}

void Screen::say(std::string_view text) {
    finish();
    (terminal_ ? std::cout : std::cerr) << text << std::flush;
}

void Screen::say_aside(std::string_view text) {
    if (!terminal_) return;
    finish();
    std::cout << (can_dim_ ? kDim : "") << terminal_safe(text) << (can_dim_ ? kPlain : "") << '\n'
              << std::flush;
}

void Screen::complain(std::string_view detail) {
    finish();
    failed_ = true;
    print_error(terminal_safe(detail));
}

void Screen::status(std::string_view text) {
    if (!can_move_ || text == status_ || !at_line_start_) return;
    clear_status();
    // One column stays free: a full line would move the cursor to the next one.
    std::cout << (can_dim_ ? kDim : "") << first_columns(terminal_safe(text), window_columns() - 1)
              << (can_dim_ ? kPlain : "") << std::flush;
    status_ = text;
}

void Screen::thinking(std::string_view piece) {
    if (!terminal_) return;
    if (open_ != Part::kThinking) {
        finish();
        open_ = Part::kThinking;
        std::cout << (can_dim_ ? kDim : "Thinking: ");
    }
    put(terminal_safe(piece));
}

void Screen::answer(std::string_view piece) {
    if (open_ == Part::kThinking) {
        finish();
        put("\n");
    }
    clear_status();
    open_ = Part::kAnswer;
    put(terminal_ ? terminal_safe(piece) : std::string(piece));
}

void Screen::answer_so_far(std::string_view text) {
    if (!terminal_) return;
    const std::size_t line = text.rfind('\n');
    if (line != std::string_view::npos) text.remove_prefix(line + 1);
    answer(last_columns(terminal_safe(text), window_columns() - 1));
}

void Screen::finish() {
    clear_status();
    if (open_ == Part::kThinking && can_dim_) std::cout << kPlain;
    if (open_ != Part::kNone && !at_line_start_) put("\n");
    std::cout << std::flush;
    open_ = Part::kNone;
    at_line_start_ = true;
}

void Screen::end_answer() {
    if (terminal_) return finish();
    if (open_ == Part::kAnswer && at_line_start_) put("\n");  // its own break is part of it
    finish();
}

}  // namespace notso::app
