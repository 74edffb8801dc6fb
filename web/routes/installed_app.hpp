// What makes the page an app that can be installed: its manifest, its service worker, and the page
// that says that the server is away.
#pragma once

#include "web/routes/pages.hpp"

namespace notso::web {

/// GET /manifest.webmanifest, /worker.js and /offline. They tell nothing of anybody, so they are
/// open.
void add_installed_app_routes(std::vector<Route>& routes, const SharedPages& pages);

}  // namespace notso::web
