// Times as text: strftime_now of chat templates and the `datetime` filter of the pages.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace notso::services::jinja {

/// A calendar date and time without zone.
struct CivilTime {
    int year = 1970;
    int month = 1;
    int day = 1;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int microsecond = 0;
};

/// "2025-07-08T12:00:00" or "2025-07-08 12:00" or "2025-07-08", with an optional fraction and Z.
/// @errors kInvalidArgument.
Result<CivilTime> parse_iso_time(std::string_view text);
CivilTime civil_from_unix_ms(UnixMs time);
/// The frozen time, or the local time of now.
Result<CivilTime> current_time(const std::optional<std::string>& frozen);
/// Python's strftime in the C locale. @errors kInvalidArgument when the text would be too long.
Result<std::string> format_time(const CivilTime& time, std::string_view format);

}  // namespace notso::services::jinja
