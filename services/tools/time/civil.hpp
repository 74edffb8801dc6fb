// Civil time: a date and a time of day without a zone, as people write it, and as seconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

struct CivilTime {
    std::chrono::year_month_day date;
    std::chrono::seconds of_day{0};
    bool has_time = false;  ///< Was written with a time of day.

    /// Seconds since 1970 as if it were UTC.
    std::int64_t seconds() const;
    static CivilTime from_seconds(std::int64_t seconds);

    /// "2025-07-08", or "2025-07-08 14:05:00" with has_time.
    std::string text() const;
    /// "Tuesday"
    std::string_view weekday() const;
};

/// Reads "2025-07-08", "2025-07-08 14:05", "2025-07-08T14:05:30"; years 1 to 9999.
/// @errors kInvalidArgument.
Result<CivilTime> parse_civil(std::string_view text);

/// Adds months; a day that the month does not have becomes its last.
/// @errors kInvalidArgument outside the years 1 to 9999.
Result<CivilTime> add_months(const CivilTime& to, std::int64_t months);
/// @errors as add_months().
Result<CivilTime> add_seconds(const CivilTime& to, std::int64_t seconds);

}  // namespace notso::services
