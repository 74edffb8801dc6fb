// How the calculator writes a result: all of what is exact, as far as people can read it, and 15
// significant digits of the rest.
#pragma once

#include <string>

#include "services/tools/calculator/number.hpp"

namespace notso::services::calculator {

/// "120", "0.125", "1/3 ≈ 0.333333333333333", "≈ 1.4142135623731", "≈ 1.5e40".
std::string format(const Number& number);

}  // namespace notso::services::calculator
