// The functions and constants that an expression may name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "services/tools/calculator/number.hpp"

namespace notso::services::calculator {

struct Function {
    std::string_view name;
    std::size_t min_arguments;
    std::size_t max_arguments;
    Result<Number> (*call)(const Math& math, const std::vector<Number>& arguments);
};

/// Null: there is none of this name.
const Function* find_function(std::string_view name);
/// pi, e, tau, phi; nothing for other names.
std::optional<Number> constant(std::string_view name);
/// For messages: "abs, acos, …".
std::string function_names();

/// Degrees to radians.
Result<Number> from_degrees(const Math& math, const Number& degrees);

}  // namespace notso::services::calculator
