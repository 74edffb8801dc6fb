// Request targets, percent-encoding, forms and a few header values: strict readers, no guessing.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::web {

/// The parts of a request target, still encoded. Views into the text given.
struct Target {
    std::string_view authority;  ///< Only of the absolute form: "http://host:port/path".
    std::string_view path;       ///< Starts with '/'.
    std::string_view query;      ///< Without '?'.
};

/// @errors kInvalidArgument for anything but origin form and absolute http form.
Result<Target> split_target(std::string_view target);

/// Decodes %XX. The result is UTF-8 without control characters (forms keep tab, CR and LF).
/// @errors kInvalidArgument for bad escapes, %00 and other control characters, bytes that are no
/// UTF-8.
Result<std::string> decode_path(std::string_view text);

/// Decodes a=b&c=d with '+' as space; the first value of a name wins. At most 1,000 fields.
/// @errors as decode_path; kTooLarge.
Result<std::map<std::string, std::string>> parse_form(std::string_view text);

/// "application/json" of "Application/JSON; charset=utf-8".
std::string media_type(std::string_view content_type);

/// Lower-case copy, ASCII only.
std::string to_lower(std::string_view text);
/// Without leading and trailing spaces and tabs.
std::string_view trim(std::string_view text);
/// Whether a comma-separated header value has this token, in any case.
bool has_token(std::string_view list, std::string_view token);

}  // namespace notso::web
