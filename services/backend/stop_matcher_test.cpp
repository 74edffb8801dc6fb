// Stop strings: the outcome must not depend on how the text was cut into pieces.
#include "services/backend/stop_matcher.hpp"

#include <gtest/gtest.h>

#include <random>

namespace notso::services {
namespace {

struct Outcome {
    std::string text;
    bool stopped;
    bool operator==(const Outcome&) const = default;
};

Outcome feed(const std::vector<std::string>& stops, const std::vector<std::string>& pieces) {
    StopMatcher matcher(stops);
    std::string text;
    for (const std::string& piece : pieces) text += matcher.push(piece);
    const bool stopped = matcher.stopped();
    return {text + matcher.finish(), stopped};
}

TEST(StopMatcher, FindsAStopStringInOnePiece) {
    EXPECT_EQ(feed({"END"}, {"one END two"}), (Outcome{"one ", true}));
}

TEST(StopMatcher, FindsAStopStringSplitOverPieces) {
    EXPECT_EQ(feed({"END"}, {"one E", "N", "D two"}), (Outcome{"one ", true}));
}

TEST(StopMatcher, ReleasesWhatTurnedOutHarmless) {
    StopMatcher matcher({"\n\nUser:"});
    EXPECT_EQ(matcher.push("a\n\nUs"), "a");
    EXPECT_EQ(matcher.held(), 4U);
    EXPECT_EQ(matcher.push("a"), "\n\nUsa");
    EXPECT_FALSE(matcher.stopped());
}

TEST(StopMatcher, DeliversTheHeldTextAtTheEnd) {
    EXPECT_EQ(feed({"END"}, {"the EN"}), (Outcome{"the EN", false}));
}

TEST(StopMatcher, GivesNothingAfterAMatch) {
    StopMatcher matcher({"x"});
    EXPECT_EQ(matcher.push("axb"), "a");
    EXPECT_EQ(matcher.rest(), "b");
    EXPECT_EQ(matcher.push("more"), "");
    EXPECT_EQ(matcher.finish(), "");
}

TEST(StopMatcher, TheStopThatIsCompleteFirstWins) {
    EXPECT_EQ(feed({"abc", "b"}, {"abc"}), (Outcome{"a", true}));
    EXPECT_EQ(feed({"abc", "b"}, {"a", "b", "c"}), (Outcome{"a", true}));
    EXPECT_EQ(feed({"c", "abc"}, {"xabc"}), (Outcome{"x", true}));
}

TEST(StopMatcher, FindsAnOverlappingSecondStart) {
    EXPECT_EQ(feed({"aab"}, {"a", "a", "a", "b"}), (Outcome{"a", true}));
}

TEST(StopMatcher, CuttingDoesNotMatter) {
    std::mt19937 random(7);  // NOLINT(bugprone-random-generator-seed): a fixed seed on purpose
    for (int round = 0; round < 3000; ++round) {
        std::string text;
        for (int i = 0; i < 24; ++i) text += static_cast<char>('a' + random() % 3);
        std::vector<std::string> stops;
        for (int i = 0; i < 3; ++i) {
            std::string stop;
            for (std::size_t n = 1 + random() % 5; n > 0; --n)
                stop += static_cast<char>('a' + random() % 3);
            stops.push_back(stop);
        }
        std::vector<std::string> pieces;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t n = 1 + random() % 4;
            pieces.push_back(text.substr(at, n));
            at += n;
        }
        ASSERT_EQ(feed(stops, {text}), feed(stops, pieces)) << text;
    }
}

TEST(StopMatcher, ChecksItsLimits) {
    EXPECT_TRUE(validate_stops(std::vector<std::string>(16, std::string(256, 'x'))));
    EXPECT_FALSE(validate_stops(std::vector<std::string>(17, "x")));
    EXPECT_FALSE(validate_stops({std::string(257, 'x')}));
    EXPECT_FALSE(validate_stops({""}));
    EXPECT_FALSE(validate_stops({"\xC3"}));
}

}  // namespace
}  // namespace notso::services
