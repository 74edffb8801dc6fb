// calculate: the value of an arithmetic expression, exact where it can be. The grammar is our own:
// no variables, no programs, nothing that could do anything but compute within its limits.
//
//   sum     = product { ("+" | "-") product }
//   product = signed { ("*" | "/" | "mod" | "%" | "of" | nothing) signed }
//   signed  = { "+" | "-" } power
//   power   = postfix [ ("^" | "**") signed ]                 so -2^2 is -4, 2^3^2 is 2^9
//   postfix = primary { "!" | "%" | "²" | "³" | "°" }         % before an operand is "mod"
//   primary = number | "(" sum ")" | constant | function "(" sum { "," sum } ")" | "√" primary
#pragma once

#include <string>
#include <string_view>

#include "services/tools/calculator/number.hpp"

namespace notso::services::calculator {

/// @errors kInvalidArgument with the place (in characters, from 1), kTooLarge, kTimeout.
/// @cost   At most about limits.time, whatever the text.
Result<Number> calculate(std::string_view expression, const Limits& limits = {});

}  // namespace notso::services::calculator
