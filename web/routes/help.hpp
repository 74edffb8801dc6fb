// What somebody can type and press.
#pragma once

#include <vector>

#include "web/routes/pages.hpp"

namespace notso::web {

/// GET /help   the page; ?part=dialog what js/help.js shows, ?part=commands the composer's menu
void add_help_routes(std::vector<Route>& routes, const SharedPages& pages);

}  // namespace notso::web
