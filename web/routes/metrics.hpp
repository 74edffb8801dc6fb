// GET /metrics: what the server has done and what it holds, for Prometheus.
#pragma once

#include <vector>

#include "web/routes/context.hpp"

namespace notso::web {

void add_metrics_routes(std::vector<Route>& routes, AppContext& context);

}  // namespace notso::web
