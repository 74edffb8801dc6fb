// Dates and times: answers of the tool, and the time zones behind it against the C library.
#include "services/tools/date_time.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>

#include "services/tools/time/time_zone.hpp"

namespace notso::services {
namespace {

using ::testing::HasSubstr;

/// At 2025-07-08 12:34:56 UTC, in Berlin.
ToolOutput ask(const std::string& arguments) {
    static const ToolBox kBox({make_date_time()});
    ToolContext context;
    context.time_zone = "Europe/Berlin";
    context.now = [] { return UnixMs{1'751'978'096'789}; };
    return kBox.run({"date_time", arguments}, context);
}

std::string told(const std::string& arguments) {
    const ToolOutput output = ask(arguments);
    EXPECT_FALSE(output.is_error) << output.text;
    return output.text;
}

TEST(DateTimeTest, TellsTheTime) {
    EXPECT_EQ(told(R"({"action":"now"})"),
              "Tuesday, 2025-07-08 14:34:56 (Europe/Berlin, UTC+02:00)");
    EXPECT_EQ(told(R"({"action":"now","time_zone":"America/New_York"})"),
              "Tuesday, 2025-07-08 08:34:56 (America/New_York, UTC-04:00)");
    EXPECT_EQ(told(R"({"action":"now","time_zone":"Asia/Kathmandu"})"),
              "Tuesday, 2025-07-08 18:19:56 (Asia/Kathmandu, UTC+05:45)");
    EXPECT_EQ(told(R"({"action":"now","time_zone":"UTC-3:30"})"),
              "Tuesday, 2025-07-08 09:04:56 (UTC-3:30, UTC-03:30)");
}

TEST(DateTimeTest, TellsWeekdays) {
    EXPECT_EQ(told(R"({"action":"weekday","date":"2024-12-30"})"),
              "2024-12-30 is a Monday: day 365 of the year, week 1 of 2025 (ISO), a leap year");
    EXPECT_EQ(told(R"({"action":"weekday","date":"2027-01-01"})"),
              "2027-01-01 is a Friday: day 1 of the year, week 53 of 2026 (ISO)");
    EXPECT_THAT(told(R"({"action":"weekday"})"), HasSubstr("2025-07-08 is a Tuesday"));
    EXPECT_THAT(told(R"({"action":"weekday","date":"tomorrow"})"), HasSubstr("2025-07-09"));
}

TEST(DateTimeTest, TellsDifferences) {
    EXPECT_EQ(told(R"({"action":"difference","date":"2024-01-31","to_date":"2025-03-01"})"),
              "From 2024-01-31 to 2025-03-01: 395 days = 56 weeks 3 days = 1 year 1 month 1 day");
    EXPECT_EQ(told(R"({"action":"difference","date":"2025-07-10","to_date":"2025-07-08"})"),
              "From 2025-07-10 to 2025-07-08: 2 days (back in time)");
    EXPECT_EQ(
        told(R"({"action":"difference","date":"2025-03-30 00:00","to_date":"2025-03-30 12:00"})"),
        "From 2025-03-30 00:00:00 to 2025-03-30 12:00:00: 0 days 11 hours 0 minutes")
        << "an hour is skipped that night";
    EXPECT_THAT(told(R"({"action":"difference","date":"2025-07-01"})"),
                HasSubstr(": 7 days = 1 week 0 days"));
}

TEST(DateTimeTest, AddsDurations) {
    EXPECT_EQ(told(R"({"action":"add","date":"2025-01-31","months":1})"), "Friday, 2025-02-28");
    EXPECT_EQ(told(R"({"action":"add","date":"2024-02-29","years":1,"days":1})"),
              "Saturday, 2025-03-01");
    EXPECT_EQ(told(R"({"action":"add","date":"2025-10-26 01:00","hours":3})"),
              "Sunday, 2025-10-26 03:00:00 (Europe/Berlin, UTC+01:00)")
        << "an hour comes twice that night";
    EXPECT_EQ(told(R"({"action":"add","days":-8})"),
              "Monday, 2025-06-30 14:34:56 (Europe/Berlin, UTC+02:00)");
}

TEST(DateTimeTest, ConvertsBetweenZones) {
    EXPECT_EQ(told(R"({"action":"convert","date":"2025-12-24 18:00","to_time_zone":"Asia/Tokyo"})"),
              "Wednesday, 2025-12-24 18:00:00 (Europe/Berlin, UTC+01:00) is "
              "Thursday, 2025-12-25 02:00:00 (Asia/Tokyo, UTC+09:00)");
}

TEST(DateTimeTest, SaysWhatIsWrong) {
    const auto wrong = [](const std::string& arguments, const char* why) {
        const ToolOutput output = ask(arguments);
        EXPECT_TRUE(output.is_error) << output.text;
        EXPECT_THAT(output.text, HasSubstr(why));
    };
    wrong(R"({"action":"guess"})", "must be one of");
    wrong(R"({"action":"weekday","date":"8.7.2025"})", "\"8.7.2025\" is no date");
    wrong(R"({"action":"weekday","date":"2025-02-29"})", "is no date");
    wrong(R"({"action":"weekday","date":"2025-02-28 24:00"})", "is no date");
    wrong(R"({"action":"add","date":"9999-12-31","days":1})", "outside the years 1 to 9999");
    wrong(R"({"action":"add","date":"0001-01-01","years":-20000,"months":-100000})", "outside");
    wrong(R"({"action":"add","hours":-100000000})", "outside the years");
    wrong(R"({"action":"now","time_zone":"Mars/Base"})", "no time zone is named Mars/Base");
    for (const char* name :
         {"../../../etc/passwd", "/etc/passwd", "Europe/../Europe/Berlin", "", "a//b", "Europe/"})
        wrong(fmt::format(R"({{"action":"now","time_zone":"{}"}})", name), "is no time zone");
    wrong(R"({"action":"now","time_zone":"Europe\u0000/Berlin"})", "is no time zone");
    wrong(R"({"action":"now","time_zone":"tzdata.zi"})", "no time zone");
}

TEST(TimeZoneTest, AgreesWithTheLibrary) {
    const char* before = std::getenv("TZ");
    const std::string kept = before == nullptr ? "" : before;
    for (const char* name : {"Europe/Berlin",
                             "America/New_York",
                             "Australia/Lord_Howe",
                             "Asia/Kolkata",
                             "America/Sao_Paulo",
                             "Pacific/Apia",
                             "Africa/Casablanca",
                             "Europe/Dublin",
                             "Asia/Tehran"}) {
        const auto zone = TimeZone::load(name);
        ASSERT_TRUE(zone.has_value()) << zone.error().detail;
        ::setenv("TZ", name, 1);
        ::tzset();
        for (std::int64_t t = -3'000'000'000; t < 6'000'000'000; t += 3'456'789) {
            const std::time_t moment = t;
            std::tm local{};
            ::localtime_r(&moment, &local);
            const ZoneOffset offset = zone->at(t);
            ASSERT_EQ(offset.seconds, local.tm_gmtoff) << name << " " << t;
            ASSERT_EQ(offset.abbreviation, local.tm_zone) << name << " " << t;
            const std::int64_t back = zone->to_utc(t + offset.seconds);  // or an hour before
            ASSERT_EQ(back + zone->at(back).seconds, t + offset.seconds) << name << " " << t;
            ASSERT_LE(back, t) << name;
        }
    }
    kept.empty() ? ::unsetenv("TZ") : ::setenv("TZ", kept.c_str(), 1);
    ::tzset();
}

TEST(TimeZoneTest, DamagedFilesAreRefusedOrRead) {
    std::ifstream file("/usr/share/zoneinfo/Europe/Berlin", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    ASSERT_GT(bytes.size(), 100U);
    for (std::size_t size = 0; size < bytes.size(); size += 7)
        if (const auto zone = TimeZone::parse(bytes.substr(0, size), "cut"))
            zone->at(1'000'000'000);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        std::string damaged = bytes;
        damaged[i] = static_cast<char>(damaged[i] ^ 0xff);
        const auto zone = TimeZone::parse(damaged, "damaged");
        if (!zone) continue;
        for (const std::int64_t t : {-5'000'000'000, 0L, 1'700'000'000L, 9'000'000'000L})
            EXPECT_LE(std::abs(zone->at(t).seconds), 26 * 3600);
    }
    EXPECT_FALSE(TimeZone::parse("", "empty").has_value());
    EXPECT_FALSE(TimeZone::parse("TZif2" + std::string(39, '\xff'), "counts").has_value());
}

}  // namespace
}  // namespace notso::services
