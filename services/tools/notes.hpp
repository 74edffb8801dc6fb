// The notes of a conversation as a tool: what a model should remember when the context gets short.
#pragma once

#include "services/tools/tool_box.hpp"

namespace notso::services {

ToolPtr make_notes();

}  // namespace notso::services
