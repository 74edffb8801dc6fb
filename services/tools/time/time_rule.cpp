#include "services/tools/time/time_rule.hpp"

#include <charconv>
#include <chrono>

namespace notso::services {

namespace chr = std::chrono;

/// Reads a rule from left to right; each function is false where the text is none.
class TimeRuleReader {
  public:
    explicit TimeRuleReader(std::string_view text) : text_(text) {}

    bool read(TimeRule& rule) {
        if (!read_offset(rule.standard_)) return false;
        if (text_.empty()) return true;
        ZoneOffset summer{.seconds = rule.standard_.seconds + 3600, .abbreviation = {}};
        if (!read_name(summer.abbreviation)) return false;
        if (!text_.empty() && text_.front() != ',' && !read_minus_time(summer.seconds))
            return false;
        rule.summer_ = std::move(summer);
        return take(',') && read_day(rule.begin_) && take(',') && read_day(rule.end_) &&
               text_.empty();
    }

  private:
    bool take(char c) {
        if (text_.empty() || text_.front() != c) return false;
        text_.remove_prefix(1);
        return true;
    }

    bool read_name(std::string& name) {
        const bool quoted = take('<');
        std::size_t size = 0;
        const auto fits = [&](char c) {
            const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
            return letter || (quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'));
        };
        while (size < text_.size() && size < 16 && fits(text_[size])) ++size;
        name = text_.substr(0, size);
        text_.remove_prefix(size);
        return size > 0 && (!quoted || take('>'));
    }

    bool read_number(int& number, int most) {
        const auto read = std::from_chars(text_.data(), text_.data() + text_.size(), number);
        if (read.ec != std::errc() || number < 0 || number > most) return false;
        text_.remove_prefix(static_cast<std::size_t>(read.ptr - text_.data()));
        return true;
    }

    /// [+-]hh[:mm[:ss]]
    bool read_time(std::int32_t& seconds) {
        constexpr int kMostHours = 167;
        const bool minus = take('-');
        if (!minus) take('+');
        int hours = 0;
        int minutes = 0;
        int rest = 0;
        if (!read_number(hours, kMostHours)) return false;
        if (take(':') && !read_number(minutes, 59)) return false;
        if (take(':') && !read_number(rest, 59)) return false;
        seconds = hours * 3600 + minutes * 60 + rest;
        if (minus) seconds = -seconds;
        return true;
    }

    /// POSIX counts to the west.
    bool read_minus_time(std::int32_t& seconds) {
        if (!read_time(seconds) || std::abs(seconds) > 26 * 3600) return false;
        seconds = -seconds;
        return true;
    }

    bool read_offset(ZoneOffset& offset) {
        return read_name(offset.abbreviation) && read_minus_time(offset.seconds);
    }

    bool read_day(TimeRule::Day& day) {
        using enum TimeRule::Day::Kind;
        if (take('M')) {
            day.kind = kMonth;
            if (!read_number(day.month, 12) || !take('.') || !read_number(day.week, 5) ||
                !take('.') || !read_number(day.weekday, 6) || day.month == 0 || day.week == 0)
                return false;
        } else {
            day.kind = take('J') ? kJulian : kZeroBased;
            if (!read_number(day.day, 365)) return false;
            if (day.kind == kJulian && day.day == 0) return false;
        }
        return !take('/') || read_time(day.time_s);
    }

    std::string_view text_;
};

Result<TimeRule> TimeRule::parse(std::string_view text) {
    TimeRule rule;
    if (TimeRuleReader(text).read(rule)) return rule;
    return fail(ErrorCode::kCorruptData, "a time zone has a rule that can't be read");
}

std::int64_t TimeRule::Day::in_year(int year) const {
    const chr::year y(year);
    chr::sys_days date;
    if (kind == Kind::kMonth) {
        const chr::month m(static_cast<unsigned>(month));
        const chr::weekday w(static_cast<unsigned>(weekday));
        date = week == 5 ? chr::sys_days(y / m / w[chr::last])
                         : chr::sys_days(y / m / w[static_cast<unsigned>(week)]);
    } else {
        int index = day;
        // J1 to J365 never count February 29.
        if (kind == Kind::kJulian && !(y.is_leap() && day >= 60)) --index;
        date = chr::sys_days(y / chr::January / 1) + chr::days(index);
    }
    return date.time_since_epoch().count() * std::int64_t{86400} + time_s;
}

ZoneOffset TimeRule::at(std::int64_t utc_s) const {
    if (!summer_) return standard_;
    const auto day =
        chr::floor<chr::days>(chr::sys_seconds(chr::seconds(utc_s + standard_.seconds)));
    const int year = static_cast<int>(chr::year_month_day(day).year());
    const std::int64_t begin = begin_.in_year(year) - standard_.seconds;
    const std::int64_t end = end_.in_year(year) - summer_->seconds;
    const bool is_summer = begin <= end ? utc_s >= begin && utc_s < end
                                        : utc_s >= begin || utc_s < end;  // in the south
    return is_summer ? *summer_ : standard_;
}

}  // namespace notso::services
