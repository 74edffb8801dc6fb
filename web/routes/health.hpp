// Probes: is the process alive, is it ready to answer, how is it.
#pragma once

#include <vector>

#include "web/routes/context.hpp"

namespace notso::web {

/// GET /livez, /readyz, /health. None waits for anything; all answer without the API key.
void add_health_routes(std::vector<Route>& routes, AppContext& context);

}  // namespace notso::web
