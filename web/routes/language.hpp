// The choice of a language: a form at the foot of the list of conversations.
#pragma once

#include "web/routes/pages.hpp"

namespace notso::web {

/// POST /language: sets the cookie and goes back to where the person was.
void add_language_routes(std::vector<Route>& routes, const SharedPages& pages);

}  // namespace notso::web
