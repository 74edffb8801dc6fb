#include "services/tools/time/civil.hpp"

#include <array>
#include <charconv>

#include "base/log.hpp"

namespace notso::services {
namespace {

namespace chr = std::chrono;

constexpr std::int64_t kDay = 86400;
constexpr std::int64_t kMostSeconds = 400'000'000'000;  // over 12,000 years

bool is_known(const chr::year_month_day& date) {
    return date.ok() && date.year() >= chr::year(1) && date.year() <= chr::year(9999);
}

Result<CivilTime> known(const CivilTime& time) {
    if (is_known(time.date)) return time;
    return fail(ErrorCode::kInvalidArgument, "the result is outside the years 1 to 9999");
}

/// Digits of exactly this count, and what stands behind them.
bool take_number(std::string_view& text, std::size_t digits, int& number) {
    if (text.size() < digits) return false;
    for (const char c : text.substr(0, digits))
        if (c < '0' || c > '9') return false;
    std::from_chars(text.data(), text.data() + digits, number);
    text.remove_prefix(digits);
    return true;
}

bool take(std::string_view& text, char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

bool read_time(std::string_view text, CivilTime& out) {
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute))
        return false;
    if (take(text, ':') && !take_number(text, 2, second)) return false;
    out.of_day = chr::hours(hour) + chr::minutes(minute) + chr::seconds(second);
    out.has_time = true;
    return text.empty() && hour < 24 && minute < 60 && second < 60;
}

bool read(std::string_view text, CivilTime& out) {
    int year = 0;
    int month = 0;
    int day = 0;
    if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) ||
        !take(text, '-') || !take_number(text, 2, day))
        return false;
    out.date = chr::year(year) / month / day;
    if (!is_known(out.date)) return false;
    if (text.empty()) return true;
    return (take(text, 'T') || take(text, ' ')) && read_time(text, out);
}

}  // namespace

std::int64_t CivilTime::seconds() const {
    return chr::sys_days(date).time_since_epoch().count() * kDay + of_day.count();
}

CivilTime CivilTime::from_seconds(std::int64_t seconds) {
    const chr::sys_seconds moment{chr::seconds(seconds)};
    const auto day = chr::floor<chr::days>(moment);
    return {.date = day, .of_day = moment - day, .has_time = true};
}

std::string CivilTime::text() const {
    std::string out = fmt::format("{:04}-{:02}-{:02}",
                                  static_cast<int>(date.year()),
                                  static_cast<unsigned>(date.month()),
                                  static_cast<unsigned>(date.day()));
    if (!has_time) return out;
    const auto s = of_day.count();
    return out + fmt::format(" {:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

std::string_view CivilTime::weekday() const {
    static constexpr std::array<std::string_view, 7> kNames = {
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
    return kNames[chr::weekday(chr::sys_days(date)).c_encoding()];
}

Result<CivilTime> parse_civil(std::string_view text) {
    CivilTime out;
    if (read(text, out)) return out;
    return fail(ErrorCode::kInvalidArgument,
                "{} is no date; write it as 2025-07-08 or 2025-07-08 14:05",
                log::field(text));
}

Result<CivilTime> add_months(const CivilTime& to, std::int64_t months) {
    constexpr std::int64_t kMost = 12 * 10'000;
    if (months > kMost || months < -kMost) return known({});
    CivilTime out = to;
    out.date += chr::months(months);
    if (!out.date.ok()) out.date = out.date.year() / out.date.month() / chr::last;
    return known(out);
}

Result<CivilTime> add_seconds(const CivilTime& to, std::int64_t seconds) {
    if (seconds > kMostSeconds || seconds < -kMostSeconds) return known({});
    CivilTime out = CivilTime::from_seconds(to.seconds() + seconds);
    out.has_time = to.has_time || seconds % kDay != 0;
    return known(out);
}

}  // namespace notso::services
