// The state of the model that an open page shows, so that it can follow without a reload.
#pragma once

#include <vector>

#include "web/routes/pages.hpp"

namespace notso::web {

/// GET /model-badge   ?model=<id, empty = the default>: fragments: the badge of the top bar; for a
/// chat page also what else depends on the model's state, as far as it differs from ?seen= (the
/// badge's data-seen): banner and thinking switch (?conversation=, ?thinking=1: as it is set now).
/// Asked by js/model.js; never reads the database.
void add_model_badge_routes(std::vector<Route>& routes, const SharedPages& pages);

}  // namespace notso::web
