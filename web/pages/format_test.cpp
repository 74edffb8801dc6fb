#include "web/pages/format.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace notso::web {
namespace {

const Language& english() { return Language::english(); }

TEST(Format, Counts) {
    EXPECT_EQ(format_count(english(), 0), "0");
    EXPECT_EQ(format_count(english(), 999), "999");
    EXPECT_EQ(format_count(english(), 1000), "1,000");
    EXPECT_EQ(format_count(english(), 1234567), "1,234,567");
    EXPECT_EQ(format_count(english(), -1000), "-1,000");
    EXPECT_EQ(format_count(english(), -100), "-100");
    EXPECT_EQ(format_counted(english(), 1, "token"), "1 token");
    EXPECT_EQ(format_counted(english(), 8192, "token"), "8,192 tokens");
}

TEST(Format, Durations) {
    EXPECT_EQ(format_duration(english(), 0), "0 ms");
    EXPECT_EQ(format_duration(english(), 99.4), "99 ms");
    EXPECT_EQ(format_duration(english(), 99.6), "0.1 s");
    EXPECT_EQ(format_duration(english(), 412), "0.4 s");
    EXPECT_EQ(format_duration(english(), 9940), "9.9 s");
    EXPECT_EQ(format_duration(english(), 9960), "10 s");
    EXPECT_EQ(format_duration(english(), 59'499), "59 s");
    EXPECT_EQ(format_duration(english(), 59'500), "1 min 0 s");
    EXPECT_EQ(format_duration(english(), 125'000), "2 min 5 s");
}

TEST(Format, RateAndWords) {
    EXPECT_EQ(format_rate(english(), 15.84), "15.8 tokens/s");
    EXPECT_EQ(format_rate(english(), 0), "");
    EXPECT_EQ(count_words(""), 0);
    EXPECT_EQ(count_words("  one\ttwo\n\nthree "), 3);
}

TEST(Format, DaysAreThoseOfTheLocalCalendar) {
    setenv("TZ", "UTC", 1);
    tzset();
    constexpr UnixMs kHour = 3'600'000;
    constexpr UnixMs kMidnight = 20'000 * 24 * kHour;
    const UnixMs now = kMidnight + kHour;
    EXPECT_EQ(day_label(english(), now, now), "Today");
    EXPECT_EQ(day_label(english(), kMidnight, now), "Today");
    EXPECT_EQ(day_label(english(), kMidnight - 1, now), "Yesterday");
    EXPECT_EQ(day_label(english(), kMidnight - 24 * kHour - 1, now), "Last 7 days");
    EXPECT_EQ(day_label(english(), kMidnight - 8 * 24 * kHour, now), "Earlier");
    EXPECT_EQ(day_label(english(), now + 48 * kHour, now), "Today") << "a clock that was set back";
}

TEST(Format, Sentences) {
    EXPECT_EQ(format_sentence(Language::english(), "the disk is full"), "The disk is full.");
    EXPECT_EQ(format_sentence(Language::english(), "Really?"), "Really?");
    EXPECT_EQ(format_sentence(Language::english(), "éa"), "éa.");
    EXPECT_EQ(format_sentence(Language::english(), ""), "");
}

TEST(Format, PercentEncoding) {
    EXPECT_EQ(percent_encode("a b&c=d/é"), "a%20b%26c%3Dd%2F%C3%A9");
    EXPECT_EQ(percent_encode("Az09-._~"), "Az09-._~");
}

TEST(Format, Moments) {
    constexpr UnixMs kAt = 1'795'710'139'342;
    const Moment moment = format_moment(kAt, kAt);
    EXPECT_EQ(moment.iso, "2026-11-26T16:22:19Z");
    EXPECT_EQ(moment.exact.size(), 19U);
    EXPECT_EQ(moment.brief, moment.exact.substr(11, 5));
    EXPECT_EQ(format_moment(kAt, kAt + 86'400'000).brief, moment.exact.substr(0, 16));
    EXPECT_EQ(format_moment(0, kAt).exact, "");
}

}  // namespace
}  // namespace notso::web
