// The calculator: values, how they are written, and what it refuses.
// tests/oracle/calculator_check.py compares it with Python's fractions and decimal.
#include "services/tools/calculator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/tools/calculator/calculate.hpp"
#include "services/tools/calculator/format.hpp"

namespace notso::services {
namespace {

using ::testing::HasSubstr;

std::string value_of(std::string_view expression) {
    const auto value = calculator::calculate(expression);
    return value ? calculator::format(*value) : "error: " + value.error().detail;
}

struct Case {
    const char* expression;
    const char* value;
};

TEST(CalculatorTest, KeepsToTheRulesOfPrecedence) {
    for (const auto& [expression, value] :
         std::initializer_list<Case>{{"1 + 2 * 3", "7"},     {"(1 + 2) * 3", "9"},
                                     {"-2^2", "-4"},         {"(-2)^2", "4"},
                                     {"2^3^2", "512"},       {"2**-1", "0.5"},
                                     {"--3", "3"},           {"2 - -3", "5"},
                                     {"10 - 2 - 3", "5"},    {"100 / 10 / 2", "5"},
                                     {"3!^2", "36"},         {"-3!", "-6"},
                                     {"2 * -3", "-6"},       {"2(3 + 4)", "14"},
                                     {"(2)(3)", "6"},        {"50%", "0.5"},
                                     {"50% * 80", "40"},     {"15% of 80", "12"},
                                     {"17 % 5", "2"},        {"-17 mod 5", "3"},
                                     {"17 mod -5", "-3"},    {"7.5 % 2", "1.5"},
                                     {"3 × 4 ÷ 6 − 1", "1"}, {"3 x 4", "12"},
                                     {"2x3", "6"},           {"3² + 2³", "17"},
                                     {"√16 + √(9)", "7"},    {"1,234,567 + 1", "1234568"},
                                     {"max(1,234)", "234"},  {"max((1,234), 5)", "1234"},
                                     {"1_000 + 1", "1001"},  {"2 + 2 =", "4"},
                                     {".5 + 5.", "5.5"},     {"1e3 + 1.5E-2", "1000.015"},
                                     {"007", "7"},           {"math.sqrt(49)", "7"}})
        EXPECT_EQ(value_of(expression), value) << expression;
}

TEST(CalculatorTest, IsExactWhereItCanBe) {
    for (const auto& [expression, value] :
         std::initializer_list<Case>{{"0.1 + 0.2", "0.3"},
                                     {"1/3 + 1/3 + 1/3", "1"},
                                     {"2/3", "2/3 ≈ 0.666666666666667"},
                                     {"-1/7", "-1/7 ≈ -0.142857142857143"},
                                     {"2^100", "1267650600228229401496703205376"},
                                     {"25!", "15511210043330985984000000"},
                                     {"1/2^20", "0.00000095367431640625"},
                                     {"sqrt(1/4)", "0.5"},
                                     {"sqrt(152399025)", "12345"},
                                     {"8^(2/3)", "4"},
                                     {"4^-0.5", "0.5"},
                                     {"cbrt(-27)", "-3"},
                                     {"root(1024, 10)", "2"},
                                     {"log(1000)", "3"},
                                     {"log2(1/8)", "-3"},
                                     {"log(81, 3)", "4"},
                                     {"ln(1)", "0"},
                                     {"exp(0) + cos(0) + sin(0)", "2"},
                                     {"gcd(48, -36)", "12"},
                                     {"lcm(4, 6, 10)", "60"},
                                     {"ncr(50, 6)", "15890700"},
                                     {"npr(5, 2)", "20"},
                                     {"floor(-3.5)", "-4"},
                                     {"ceil(3.2)", "4"},
                                     {"trunc(-3.7)", "-3"},
                                     {"round(2.5)", "3"},
                                     {"round(-2.5)", "-3"},
                                     {"round(3.14159, 2)", "3.14"},
                                     {"round(1250, -2)", "1300"},
                                     {"abs(-3/4)", "0.75"},
                                     {"mean(1, 2, 3, 5)", "2.75"},
                                     {"median(5, 1, 4)", "4"},
                                     {"hypot(3, 4)", "5"}})
        EXPECT_EQ(value_of(expression), value) << expression;
}

TEST(CalculatorTest, RoundsTheRest) {
    for (const auto& [expression, value] : std::initializer_list<Case>{
             {"sqrt(2)", "≈ 1.4142135623731"},
             {"pi", "≈ 3.14159265358979"},
             {"2 pi", "≈ 6.28318530717959"},
             {"e", "≈ 2.71828182845905"},
             {"sqrt(2)^2", "≈ 2"},
             {"sqrt(2)^2 - 2", "≈ 0"},
             {"sin(30°)", "≈ 0.5"},
             {"sin(pi)", "≈ 0"},
             {"ln(2)", "≈ 0.693147180559945"},
             {"exp(100)", "≈ 2.68811714181614e43"},
             {"exp(-30)", "≈ 9.35762296884017e-14"},
             {"10^40 / 3", "10000000000000000000000000000000000000000/3 ≈ 3.33333333333333e39"},
             {"1 / 3^300", "≈ 7.30505658114782e-144"},
             {"degrees(pi)", "≈ 180"},
             {"(1 + 0.05/365)^(365*30)", "≈ 4.48122868852452"},
             {"(1 + 10^-50)^(10^50)", "≈ 2.71828182845905"},
             {"1/7^11000 + 1/3^9000", "≈ 8.10415097481438e-4295"},
             {"2^0.5 * 2^0.5", "≈ 2"}})
        EXPECT_EQ(value_of(expression), value) << expression;
}

TEST(CalculatorTest, SaysWhereAnExpressionIsWrong) {
    for (const auto& [expression, why] :
         std::initializer_list<Case>{{"", "at character 1: a number is missing before the end"},
                                     {"2 +", "a number is missing before the end"},
                                     {"2 3", "at character 3: an operator is missing"},
                                     {"(2", "a ) is missing"},
                                     {"2)", "a ) too many"},
                                     {"2 & 3", "at character 3: \"&\" is not expected"},
                                     {"1.2.3", "two decimal points"},
                                     {"7 // 2", "use floor(a / b)"},
                                     {"foo(2)", "at character 1: \"foo\" is not known"},
                                     {"sqrt 2", "write sqrt(…)"},
                                     {"round(1, 2, 3)", "round takes 1 to 2 argument(s), not 3"},
                                     {"5!!", "write (x!)!"},
                                     {"import os", "\"import\" is not known"},
                                     {"__import__('os')", "a number is missing before \"_\""},
                                     {"x = 3", "\"x\" is not known"},
                                     {"1/0", "division by zero"},
                                     {"5 % 0", "division by zero"},
                                     {"0^-1", "0 to a negative power"},
                                     {"sqrt(-1)", "no real number"},
                                     {"(-8)^(1/3)", "no real number"},
                                     {"ln(0)", "a value over 0"},
                                     {"log(8, 1)", "not 1"},
                                     {"asin(2)", "from -1 to 1"},
                                     {"1.5!", "a whole number"},
                                     {"(-1)!", "not negative"},
                                     {"gcd(1.5, 2)", "whole numbers"},
                                     {"nan", "\"nan\" is not known"},
                                     {"inf - inf", "\"inf\" is not known"},
                                     {"sin(10^21)", "too large"},
                                     {"tan(90°)", "no value there"},
                                     {"\xff", "not well-formed"}})
        EXPECT_THAT(value_of(expression), HasSubstr(why)) << expression;
}

TEST(CalculatorTest, RefusesWhatWouldTakeForEver) {
    const std::string many = [] {
        std::string sum = "9^9999";
        for (int i = 0; i < 1200; ++i) sum += "+9^9999";
        return sum;
    }();
    const std::string deep(5000, '(');
    std::string powers = "2";
    for (int i = 0; i < 3000; ++i) powers += "^1";
    for (const std::string& expression : {std::string("9^9^9^9"),
                                          std::string("9^9^9"),
                                          std::string("(10^6)!"),
                                          std::string("10^10^10!"),
                                          std::string("1e99999"),
                                          std::string("1e999999999999999999999"),
                                          std::string("1e-99999"),
                                          std::string("10^10000"),
                                          std::string("0.5^99999"),
                                          std::string("1.5^99999"),
                                          std::string("exp(10^9)"),
                                          std::string("exp(-10^9)"),
                                          std::string("pi^(10^9)"),
                                          std::string("cosh(1e9)"),
                                          std::string("ncr(10^9, 5*10^8)"),
                                          std::string("npr(10^9, 10^8)"),
                                          std::string("root(2, 10^18)^(10^18)^9"),
                                          many,
                                          deep,
                                          powers,
                                          std::string(20'000, '1')}) {
        const auto value = calculator::calculate(expression);
        ASSERT_FALSE(value.has_value()) << expression.substr(0, 80);
        EXPECT_TRUE(value.error().code == ErrorCode::kTooLarge ||
                    value.error().code == ErrorCode::kTimeout)
            << expression.substr(0, 80) << value.error().detail;
    }
}

TEST(CalculatorTest, LimitsAreWhereTheySay) {
    EXPECT_EQ(value_of("10^9999").size(), 10'000U);
    EXPECT_EQ(value_of("10^10000 - 1").substr(0, 6), "error:");
    EXPECT_EQ(value_of("3248!").size(), 9998U);
    EXPECT_EQ(value_of("3249!").substr(0, 6), "error:");
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '(') + "1" + std::string(depth, ')');
    };
    EXPECT_EQ(value_of(nested(64)), "1");
    EXPECT_THAT(value_of(nested(65)), HasSubstr("more than 64 levels"));
    EXPECT_EQ(value_of(std::string(9'999, '-') + "1"), "-1");
}

TEST(CalculatorTest, IsATool) {
    const ToolBox box({make_calculator()});
    EXPECT_EQ(box.run({"calculator", R"({"expression":"6*7"})"}, {}), (ToolOutput{"42", false}));
    const ToolOutput wrong = box.run({"calculator", R"({"expression":"6*"})"}, {});
    EXPECT_TRUE(wrong.is_error);
    EXPECT_EQ(wrong.text, "calculator: at character 3: a number is missing before the end");
}

}  // namespace
}  // namespace notso::services
