// TimeRule: the yearly change of clocks as POSIX writes it, "CET-1CEST,M3.5.0,M10.5.0/3": what a
// compiled time zone says of all years after its last entry.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

/// What clocks show at some moment.
struct ZoneOffset {
    std::int32_t seconds = 0;  ///< Added to UTC; under 26 hours.
    std::string abbreviation;  ///< "CEST"

    bool operator==(const ZoneOffset&) const = default;
};

class TimeRule {
  public:
    /// @errors kCorruptData.
    static Result<TimeRule> parse(std::string_view text);

    ZoneOffset at(std::int64_t utc_s) const;

  private:
    /// A day of the year and the time of the change on it.
    struct Day {
        enum class Kind : std::uint8_t { kMonth, kJulian, kZeroBased } kind = Kind::kMonth;
        int month = 0, week = 0, weekday = 0;  ///< Of kMonth: week 5 is the last.
        int day = 0;                           ///< Of the others.
        std::int32_t time_s = 7200;

        /// Seconds since 1970, local.
        std::int64_t in_year(int year) const;
    };
    friend class TimeRuleReader;

    ZoneOffset standard_;
    std::optional<ZoneOffset> summer_;
    Day begin_;
    Day end_;
};

}  // namespace notso::services
