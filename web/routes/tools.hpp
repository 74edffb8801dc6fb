// The page that lists what models may call, and takes back what somebody always allowed.
#pragma once

#include "web/routes/pages.hpp"

namespace notso::web {

/// GET  /tools       every tool that is offered, with its rule
/// POST /tools/ask   tool: asks before each call again
void add_tool_routes(std::vector<Route>& routes, const SharedPages& pages);

}  // namespace notso::web
