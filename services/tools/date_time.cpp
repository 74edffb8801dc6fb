#include "services/tools/date_time.hpp"

#include "services/tools/built_in.hpp"
#include "services/tools/time/civil.hpp"
#include "services/tools/time/time_zone.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;
namespace chr = std::chrono;

constexpr std::string_view kDateTimeSchema = R"({
  "properties": {
    "action": {
      "type": "string",
      "enum": ["now", "weekday", "difference", "add", "convert"],
      "description": "now: the time in time_zone. weekday: about a date. difference: from date to to_date. add: date plus years, months, weeks, days, hours, minutes. convert: date in time_zone, as to_time_zone shows it."
    },
    "date": {
      "type": "string",
      "description": "2025-07-08 or 2025-07-08 14:05; default: now"
    },
    "to_date": {"type": "string", "description": "End of a difference; default: now"},
    "time_zone": {"type": "string", "description": "IANA name, e.g. Europe/Berlin; default: the person's"},
    "to_time_zone": {"type": "string", "description": "For convert"},
    "years": {"type": "integer", "minimum": -20000, "maximum": 20000},
    "months": {"type": "integer", "minimum": -100000, "maximum": 100000},
    "weeks": {"type": "integer", "minimum": -1000000, "maximum": 1000000},
    "days": {"type": "integer", "minimum": -5000000, "maximum": 5000000},
    "hours": {"type": "integer", "minimum": -100000000, "maximum": 100000000},
    "minutes": {"type": "integer", "minimum": -1000000000, "maximum": 1000000000}
  },
  "required": ["action"]
})";

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 86400;

std::string offset_text(std::int32_t seconds) {
    const std::int32_t size = std::abs(seconds);
    return fmt::format("UTC{}{:02}:{:02}", seconds < 0 ? '-' : '+', size / 3600, size / 60 % 60);
}

/// "1 day", "2 days"
std::string count_text(std::int64_t count, std::string_view unit) {
    return fmt::format("{} {}{}", count, unit, count == 1 || count == -1 ? "" : "s");
}

/// One call: what was asked, and the asker's clock.
class Request {
  public:
    static Result<Request> read(const json::object& arguments, const ToolContext& context) {
        NOTSO_TRY(TimeZone zone,
                  TimeZone::load(text_argument(arguments, "time_zone", context.time_zone)));
        return Request(arguments, context, std::move(zone));
    }

    Result<std::string> answer() const {
        const std::string action = text_argument(arguments_, "action");
        if (action == "weekday") return weekday();
        if (action == "difference") return difference();
        if (action == "add") return add();
        if (action == "convert") return convert();
        return moment_text(now_s_, zone_);
    }

  private:
    Request(const json::object& arguments, const ToolContext& context, TimeZone zone)
        : arguments_(arguments), zone_(std::move(zone)) {
        now_s_ = chr::floor<chr::seconds>(chr::milliseconds(context.now())).count();
    }

    static std::string moment_text(std::int64_t utc_s, const TimeZone& zone) {
        const ZoneOffset offset = zone.at(utc_s);
        const CivilTime local = CivilTime::from_seconds(utc_s + offset.seconds);
        return fmt::format("{}, {} ({}, {})",
                           local.weekday(),
                           local.text(),
                           zone.name(),
                           offset_text(offset.seconds));
    }

    CivilTime now() const {
        CivilTime local = CivilTime::from_seconds(now_s_ + zone_.at(now_s_).seconds);
        return local;
    }

    /// A date argument; now where it is absent, and where people write it in a word.
    Result<CivilTime> date(std::string_view name) const {
        const std::string text = text_argument(arguments_, name, "now");
        CivilTime local = now();
        if (text == "now") return local;
        local.has_time = false;
        local.of_day = {};
        if (text == "today") return local;
        if (text == "tomorrow") return add_seconds(local, kDay);
        if (text == "yesterday") return add_seconds(local, -kDay);
        return parse_civil(text);
    }

    Result<std::string> weekday() const {
        NOTSO_TRY(CivilTime day, date("date"));
        day.has_time = false;
        const chr::sys_days days(day.date);
        const auto of_year = (days - chr::sys_days(day.date.year() / 1 / 1)).count() + 1;
        // ISO: the week of a year's first Thursday is its first.
        const auto thursday = days + chr::days(3) - (chr::weekday(days) - chr::Monday);
        const chr::year iso_year = chr::year_month_day(thursday).year();
        const auto week = (thursday - chr::sys_days(iso_year / 1 / 1)).count() / 7 + 1;
        return fmt::format("{} is a {}: day {} of the year, week {} of {} (ISO){}",
                           day.text(),
                           day.weekday(),
                           of_year,
                           week,
                           static_cast<int>(iso_year),
                           day.date.year().is_leap() ? ", a leap year" : "");
    }

    /// Whole months and what is left, from the earlier to the later.
    static std::string in_months(const CivilTime& from, const CivilTime& to) {
        std::int64_t months = (to.date.year() - from.date.year()).count() * 12LL +
                              static_cast<int>(static_cast<unsigned>(to.date.month())) -
                              static_cast<int>(static_cast<unsigned>(from.date.month()));
        auto reached = add_months(from, months);
        if (reached && reached->seconds() > to.seconds()) reached = add_months(from, --months);
        if (!reached || months == 0) return {};
        const std::int64_t days = (to.seconds() - reached->seconds()) / kDay;
        std::string text;
        if (months >= 12) text = count_text(months / 12, "year") + " ";
        if (months % 12 != 0) text += count_text(months % 12, "month") + " ";
        return fmt::format(" = {}{}", text, count_text(days, "day"));
    }

    Result<std::string> difference() const {
        NOTSO_TRY(CivilTime from, date("date"));
        NOTSO_TRY(CivilTime to, date("to_date"));
        if (!from.has_time || !to.has_time) {  // then only days count
            from.of_day = to.of_day = {};
            from.has_time = to.has_time = false;
        }
        const std::int64_t span = from.has_time
                                      ? zone_.to_utc(to.seconds()) - zone_.to_utc(from.seconds())
                                      : to.seconds() - from.seconds();
        const std::int64_t size = std::abs(span);
        std::string text = count_text(size / kDay, "day");
        if (from.has_time) {
            text += fmt::format(" {} {}",
                                count_text(size % kDay / kHour, "hour"),
                                count_text(size % kHour / kMinute, "minute"));
        }
        if (size >= 7 * kDay)
            text += fmt::format(" = {} {}",
                                count_text(size / (7 * kDay), "week"),
                                count_text(size % (7 * kDay) / kDay, "day"));
        text += span >= 0 ? in_months(from, to) : in_months(to, from);
        return fmt::format(
            "From {} to {}: {}{}", from.text(), to.text(), text, span < 0 ? " (back in time)" : "");
    }

    std::int64_t whole(std::string_view name) const { return whole_argument(arguments_, name, 0); }

    Result<std::string> add() const {
        NOTSO_TRY(CivilTime local, date("date"));
        NOTSO_TRY(local, add_months(local, whole("years") * 12 + whole("months")));
        NOTSO_TRY(local, add_seconds(local, (whole("weeks") * 7 + whole("days")) * kDay));
        const std::int64_t span = whole("hours") * kHour + whole("minutes") * kMinute;
        if (!local.has_time && span == 0)
            return fmt::format("{}, {}", local.weekday(), local.text());
        // Hours pass whatever the clocks do.
        const std::int64_t utc_s = zone_.to_utc(local.seconds()) + span;
        NOTSO_CHECK(add_seconds(local, span));
        return moment_text(utc_s, zone_);
    }

    Result<std::string> convert() const {
        NOTSO_TRY(const CivilTime local, date("date"));
        NOTSO_TRY(const TimeZone to,
                  TimeZone::load(text_argument(arguments_, "to_time_zone", "UTC")));
        const std::int64_t utc_s = zone_.to_utc(local.seconds());
        return fmt::format("{} is {}", moment_text(utc_s, zone_), moment_text(utc_s, to));
    }

    const json::object& arguments_;
    TimeZone zone_;
    std::int64_t now_s_ = 0;
};

}  // namespace

ToolPtr make_date_time() {
    ToolInfo info;
    info.name = "date_time";
    info.title = "Date and time";
    info.description =
        "Tells the current date and time, weekdays, differences between dates, dates plus a "
        "duration, and times in other time zones. Use it for every question about dates.";
    return make_built_in(
        std::move(info),
        kDateTimeSchema,
        [](const json::object& arguments, const ToolContext& context) -> Result<std::string> {
            NOTSO_TRY(const Request request, Request::read(arguments, context));
            return request.answer();
        });
}

}  // namespace notso::services
