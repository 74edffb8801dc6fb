// The page of models: what is installed, and fetching more. Works without script; with it the
// progress is asked for every second.
#pragma once

#include <vector>

#include "web/routes/pages.hpp"

namespace notso::web {

/// GET  /models               the page
/// GET  /models/pull          the progress alone
/// POST /models/pull          name (of the catalogue) or path (OWNER/REPO/FILE.gguf)
/// POST /models/pull/cancel
/// Where the server fetches no models (AppContext::pulls is null) the last three are 404.
void add_model_routes(std::vector<Route>& routes, const SharedPages& pages);

}  // namespace notso::web
