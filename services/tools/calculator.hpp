// The calculator as a tool.
#pragma once

#include "services/tools/tool_box.hpp"

namespace notso::services {

/// Arithmetic, exact where it can be: services/tools/calculator/calculate.hpp has the grammar.
ToolPtr make_calculator();

}  // namespace notso::services
