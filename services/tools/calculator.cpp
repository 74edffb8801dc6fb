#include "services/tools/calculator.hpp"

#include "services/tools/built_in.hpp"
#include "services/tools/calculator/calculate.hpp"
#include "services/tools/calculator/format.hpp"

namespace notso::services {
namespace {

constexpr std::string_view kCalculatorSchema = R"({
  "properties": {
    "expression": {
      "type": "string",
      "description": "What to compute, e.g. \"(17.5 - 3) * 4^2 / 3\", \"sqrt(2)\", \"15% of 80\""
    }
  },
  "required": ["expression"]
})";

}  // namespace

ToolPtr make_calculator() {
    ToolInfo info;
    info.name = "calculator";
    info.title = "Calculator";
    info.description =
        "Computes an arithmetic expression exactly. Use it for every calculation. Operators: + - * "
        "/ ^ ! mod, % (15% is 0.15), parentheses; functions such as sqrt, log, ln, sin (radians; "
        "sin(30°) for degrees), round(x, places), min, max, gcd, ncr; constants pi and e.";
    return make_built_in(
        std::move(info),
        kCalculatorSchema,
        [](const boost::json::object& arguments, const ToolContext&) -> Result<std::string> {
            NOTSO_TRY(const calculator::Number value,
                      calculator::calculate(text_argument(arguments, "expression")));
            return calculator::format(value);
        });
}

}  // namespace notso::services
