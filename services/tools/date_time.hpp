// Dates and times as a tool: now in a zone, differences, sums, weekdays, the same moment elsewhere.
#pragma once

#include "services/tools/tool_box.hpp"

namespace notso::services {

ToolPtr make_date_time();

}  // namespace notso::services
