// Counts of a text as a tool: models can't count letters or words reliably.
#pragma once

#include "services/tools/tool_box.hpp"

namespace notso::services {

ToolPtr make_text_statistics();

}  // namespace notso::services
