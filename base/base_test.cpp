// Tests of the small pieces: Result, error names, log fields, ids.
#include <gtest/gtest.h>

#include <set>

#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"

namespace notso {
namespace {

Result<int> half(int value) {
    if (value % 2 != 0) return fail(ErrorCode::kInvalidArgument, "{} is odd", value);
    return value / 2;
}

Result<int> quarter(int value) {
    NOTSO_TRY(const int first, half(value));
    NOTSO_TRY(const int second, half(first));
    return second;
}

TEST(Result, TryPassesValuesAndErrorsOn) {
    EXPECT_EQ(quarter(12), 3);
    const Result<int> bad = quarter(6);
    ASSERT_FALSE(bad);
    EXPECT_EQ(bad.error(), (Error{ErrorCode::kInvalidArgument, "3 is odd"}));
}

TEST(Error, EveryCodeHasItsOwnName) {
    std::set<std::string_view> names;
    for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
        names.insert(to_string(static_cast<ErrorCode>(code)));
    }
    EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorCode::kInternal) + 1);
}

TEST(Log, FieldsCannotForgeLines) {
    EXPECT_EQ(log::field("a\r\nb\x1b[2J\"\\"), "\"a\\x0d\\x0ab\\x1b[2J\\\"\\\\\"");
    EXPECT_LT(log::field(std::string(10000, 'x')).size(), 300u);
}

TEST(Log, SpecTakesLevelsAndTargets) {
    EXPECT_TRUE(log::configure("notso=debug"));
    EXPECT_EQ(spdlog::default_logger()->level(), spdlog::level::debug);
    EXPECT_TRUE(log::configure("warn,other=trace"));
    EXPECT_EQ(spdlog::default_logger()->level(), spdlog::level::warn);
    EXPECT_FALSE(log::configure("loud"));
    EXPECT_TRUE(log::configure("info"));
}

TEST(Random, IdsAreHexAndDiffer) {
    const std::string a = random_id();
    EXPECT_EQ(a.size(), 32u);
    EXPECT_EQ(a.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_NE(a, random_id());
}

}  // namespace
}  // namespace notso
