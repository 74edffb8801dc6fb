#include "services/accounts/attempt_limit.hpp"

#include <gtest/gtest.h>

namespace notso::services {
namespace {

using std::chrono::seconds;

TEST(AttemptLimit, LetsSoManyThroughInAWhile) {
    AttemptLimit limit(3, seconds(60));
    const auto start = SteadyClock::now();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(limit.wait("a", start), seconds(0));
        limit.begin("a", start + seconds(i));
    }
    EXPECT_EQ(limit.wait("a", start + seconds(10)), seconds(50));
    EXPECT_EQ(limit.wait("b", start + seconds(10)), seconds(0)) << "others don't wait";
    EXPECT_EQ(limit.wait("a", start + seconds(60)), seconds(0));
    limit.begin("a", start + seconds(60));
    EXPECT_EQ(limit.wait("a", start + seconds(61)), seconds(0)) << "counted from the start again";
}

TEST(AttemptLimit, WhatSucceedsDoesNotMakeTheOthersGood) {
    AttemptLimit limit(3, seconds(60));
    const auto now = SteadyClock::now();
    limit.begin("a", now);
    limit.begin("a", now);
    limit.begin("a", now);
    limit.take_back("a");
    EXPECT_EQ(limit.wait("a", now), seconds(0));
    limit.begin("a", now);
    EXPECT_GT(limit.wait("a", now), seconds(0));
    limit.take_back("never tried");
}

TEST(AttemptLimit, RemembersSoManyNames) {
    AttemptLimit limit(1, seconds(60));
    const auto start = SteadyClock::now();
    limit.begin("first", start);
    for (std::size_t i = 1; i < AttemptLimit::kMaxNames; ++i)
        limit.begin(std::to_string(i), start + seconds(1));
    EXPECT_GT(limit.wait("first", start), seconds(0));
    limit.begin("one more", start + seconds(2));
    EXPECT_EQ(limit.wait("first", start), seconds(0));
    EXPECT_GT(limit.wait("1", start), seconds(0));
}

}  // namespace
}  // namespace notso::services
