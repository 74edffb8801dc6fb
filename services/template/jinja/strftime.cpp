// See strftime.hpp.
#include "services/template/jinja/strftime.hpp"

#include <charconv>
#include <ctime>

namespace notso::services::jinja {
namespace {

std::tm to_tm(const CivilTime& time) {
    const std::chrono::year_month_day date{std::chrono::year(time.year),
                                           std::chrono::month(static_cast<unsigned>(time.month)),
                                           std::chrono::day(static_cast<unsigned>(time.day))};
    const std::chrono::sys_days days(date);
    const std::chrono::sys_days new_year(date.year() / std::chrono::January / 1);
    std::tm tm{};
    tm.tm_year = time.year - 1900;
    tm.tm_mon = time.month - 1;
    tm.tm_mday = time.day;
    tm.tm_hour = time.hour;
    tm.tm_min = time.minute;
    tm.tm_sec = time.second;
    tm.tm_wday = static_cast<int>(std::chrono::weekday(days).c_encoding());
    tm.tm_yday = static_cast<int>((days - new_year).count());
    tm.tm_isdst = -1;
    return tm;
}

// Reads `digits` digits at the start of text and takes them off.
bool take_number(std::string_view& text, std::size_t digits, int& out) {
    if (text.size() < digits) return false;
    const char* end = text.data() + digits;
    if (std::from_chars(text.data(), end, out).ptr != end) return false;
    text.remove_prefix(digits);
    return true;
}

bool take(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

bool take_clock(std::string_view& text, CivilTime& time) {
    if (!take_number(text, 2, time.hour) || !take(text, ":") || !take_number(text, 2, time.minute))
        return false;
    if (take(text, ":") && !take_number(text, 2, time.second)) return false;
    if (!take(text, ".")) return true;
    int unit = 100000;
    for (int digit = 0; take_number(text, 1, digit); unit /= 10) time.microsecond += digit * unit;
    return true;
}

}  // namespace

Result<CivilTime> parse_iso_time(std::string_view text) {
    std::string_view rest = text;
    CivilTime time;
    bool good = take_number(rest, 4, time.year) && take(rest, "-") &&
                take_number(rest, 2, time.month) && take(rest, "-") &&
                take_number(rest, 2, time.day);
    if (good && take(rest, "T ")) good = take_clock(rest, time);
    if (good) take(rest, "Z");
    const std::chrono::year_month_day date{std::chrono::year(time.year),
                                           std::chrono::month(static_cast<unsigned>(time.month)),
                                           std::chrono::day(static_cast<unsigned>(time.day))};
    if (good && rest.empty() && date.ok() && time.hour < 24 && time.minute < 60 && time.second < 61)
        return time;
    return fail(ErrorCode::kInvalidArgument,
                "'{}' is no time like 2025-07-08T12:00:00",
                text.substr(0, 64));
}

CivilTime civil_from_unix_ms(UnixMs unix_ms) {
    const std::chrono::sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds(unix_ms)};
    const auto days = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(days);
    const std::chrono::hh_mm_ss clock(at - days);
    return {static_cast<int>(date.year()),
            static_cast<int>(static_cast<unsigned>(date.month())),
            static_cast<int>(static_cast<unsigned>(date.day())),
            static_cast<int>(clock.hours().count()),
            static_cast<int>(clock.minutes().count()),
            static_cast<int>(clock.seconds().count()),
            static_cast<int>(clock.subseconds().count()) * 1000};
}

Result<CivilTime> current_time(const std::optional<std::string>& frozen) {
    if (frozen) return parse_iso_time(*frozen);
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    return CivilTime{local.tm_year + 1900,
                     local.tm_mon + 1,
                     local.tm_mday,
                     local.tm_hour,
                     local.tm_min,
                     local.tm_sec,
                     static_cast<int>(now_ms() % 1000) * 1000};
}

// Python handles %f, %z and %Z itself and leaves the rest to the C library.
Result<std::string> format_time(const CivilTime& time, std::string_view format) {
    constexpr std::size_t kMaxFormat = 4096;
    if (format.size() > kMaxFormat)
        return fail(ErrorCode::kTooLarge, "the format of the time is too long");
    std::string prepared;
    for (std::size_t i = 0; i < format.size(); ++i) {
        const char next = format[i] == '%' && i + 1 < format.size() ? format[i + 1] : '\0';
        if (next == 'f') prepared += fmt::format("{:06}", time.microsecond);
        if (next == '\0')
            prepared += format[i] == '%' ? std::string("%%") : std::string(1, format[i]);
        if (next != '\0' && next != 'f' && next != 'z' && next != 'Z') prepared.append({'%', next});
        if (next != '\0') ++i;
    }
    if (prepared.empty()) return prepared;
    const std::tm tm = to_tm(time);
    std::string out(prepared.size() * 32 + 64, '\0');
    prepared += '.';  // so that an empty result differs from a failure
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    const std::size_t size = std::strftime(out.data(), out.size(), prepared.c_str(), &tm);
#pragma GCC diagnostic pop
    if (size == 0)
        return fail(ErrorCode::kInvalidArgument,
                    "the time doesn't fit: the format makes too long a text");
    out.resize(size - 1);
    return out;
}

}  // namespace notso::services::jinja
