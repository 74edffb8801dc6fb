// Numbers written as text, read as Python's int() and float() read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {

/// int(text, base): white space, sign, underscores and prefixes as Python allows; nothing when it
/// is no number or doesn't fit in 64 bits.
std::optional<std::int64_t> parse_python_int(std::string_view text, int base);
/// float(text), with inf and nan.
std::optional<double> parse_python_float(std::string_view text);
bool remove_digit_separators(std::string& digits);

}  // namespace notso::services::jinja
