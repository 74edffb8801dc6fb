#include "services/tools/convert_units.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "services/tools/calculator/calculate.hpp"
#include "services/tools/unit_table.hpp"

namespace notso::services {
namespace {

using ::testing::HasSubstr;

ToolOutput converted(boost::json::value value, std::string_view from, std::string_view to) {
    const ToolBox box({make_convert_units()});
    const boost::json::object arguments{{"value", std::move(value)}, {"from", from}, {"to", to}};
    return box.run({"convert_units", boost::json::serialize(arguments)}, {});
}

struct Case {
    boost::json::value value;
    const char* from;
    const char* to;
    const char* result;
};

TEST(ConvertUnitsTest, IsExactWhereItCanBe) {
    for (const auto& [value, from, to, result] : std::initializer_list<Case>{
             {1, "mile", "km", "1 mi = 1.609344 km"},
             {26.2, "miles", "kilometers", "26.2 mi = 42.1648128 km"},
             {"5 + 11/12", "feet", "cm", "71/12 ≈ 5.91666666666667 ft = 180.34 cm"},
             {100, "°C", "°F", "100 °C = 212 °F"},
             {-40, "F", "celsius", "-40 °F = -40 °C"},
             {0, "Kelvin", "degrees Celsius", "0 K = -273.15 °C"},
             {98.6, "fahrenheit", "C", "98.6 °F = 37 °C"},
             {1, "lb", "kg", "1 lb = 0.45359237 kg"},
             {3, "cups", "ml", "3 cup = 709.7647095 ml"},
             {1, "acre", "m2", "1 ac = 4046.8564224 m²"},
             {100, "km/h", "mph", "100 km/h ≈ 62.1371192237334 mph"},
             {60, "miles per hour", "m/s", "60 mph = 26.8224 m/s"},
             {1, "GiB", "GB", "1 GiB = 1.073741824 GB"},
             {8, "Mb", "MB", "8 Mbit = 1 MB"},
             {1, "kWh", "kJ", "1 kWh = 3600 kJ"},
             {2000, "kcal", "MJ", "2000 kcal = 8.368 MJ"},
             {1, "atm", "psi", "1 atm ≈ 14.6959487755134 psi"},
             {180, "degrees", "rad", "180 ° ≈ 3.14159265358979 rad"},
             {0.1, "m", "cm", "0.1 m = 10 cm"},
             {2, "weeks", "hours", "2 wk = 336 h"}})
        EXPECT_EQ(converted(value, from, to).text, result);
}

TEST(ConvertUnitsTest, SaysWhatIsWrong) {
    EXPECT_THAT(converted(1, "smoot", "m").text, HasSubstr("no unit is named \"smoot\""));
    EXPECT_THAT(converted(1, "km", "kg").text,
                HasSubstr("km is a unit of length, kg one of mass; convert to one of: m, km"));
    EXPECT_TRUE(converted("9^9^9^9", "km", "m").is_error);
    EXPECT_TRUE(converted(nullptr, "km", "m").is_error);
    EXPECT_TRUE(converted(1, std::string(70'000, 'k'), "m").is_error);
}

TEST(ConvertUnitsTest, TheTableIsSound) {
    std::set<std::string> seen;
    for (const Unit& unit : unit_table()) {
        EXPECT_TRUE(seen.insert(std::string(unit.symbol)).second) << unit.symbol;
        std::string_view names = unit.names;
        while (!names.empty()) {
            const std::string_view each = names.substr(0, names.find('|'));
            EXPECT_TRUE(seen.insert(std::string(each)).second) << each;
            names.remove_prefix(std::min(names.size(), each.size() + 1));
        }
        const auto size = calculator::calculate(unit.size);
        ASSERT_TRUE(size.has_value()) << unit.symbol;
        EXPECT_FALSE(calculator::is_zero(*size) || calculator::is_negative(*size)) << unit.symbol;
        EXPECT_TRUE(unit.zero.empty() || calculator::calculate(unit.zero).has_value());
    }
}

}  // namespace
}  // namespace notso::services
