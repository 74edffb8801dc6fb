// Unit conversion as a tool, by exact factors.
#pragma once

#include "services/tools/tool_box.hpp"

namespace notso::services {

ToolPtr make_convert_units();

}  // namespace notso::services
