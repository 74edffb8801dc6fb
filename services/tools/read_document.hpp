// Reading attached documents as a tool: text as it is, PDF through pdftotext, a child process with
// limits, because such files are hostile and their format is large.
#pragma once

#include "services/tools/tool_box.hpp"

namespace notso::services {

ToolPtr make_read_document();

}  // namespace notso::services
