// Operations on text that both filters and methods of strings use.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/template/jinja/interpreter.hpp"

namespace notso::services::jinja {

/// A string that is HTML exactly when `model` is.
Value like(const Value& model, std::string text);
/// Position of `what` in `text` at or behind `from`; npos when it is not there. Linear time,
/// whatever the texts.
std::size_t find_text(std::string_view text, std::string_view what, std::size_t from = 0) noexcept;
/// Position of the last `what`; npos when it is not there.
std::size_t rfind_text(std::string_view text, std::string_view what) noexcept;
/// str.replace; count < 0 replaces all.
struct Replacement {
    std::string_view old_text;
    std::string_view new_text;
    std::int64_t count = -1;
};
Result<std::string> replace_text(Interpreter& interpreter,
                                 std::string_view text,
                                 const Replacement& replacement);
/// str.splitlines; each line with its break when `keep_ends`.
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends = false);
/// str.split() by white space; max_splits < 0 splits all.
std::vector<std::string_view> split_words(std::string_view text, std::int64_t max_splits = -1);
/// Pads on both sides to `width` code points (str.center, ljust, rjust by the share on the left).
/// format() and str.center() differ in where the odd one goes.
enum class Align : std::uint8_t { kLeft, kRight, kCenter, kFormatCenter };
struct Padding {
    std::int64_t width;
    Align align = Align::kLeft;
    std::string_view fill = " ";
};
Result<std::string> pad_text(Interpreter& interpreter, const Value& text, const Padding& padding);

}  // namespace notso::services::jinja
