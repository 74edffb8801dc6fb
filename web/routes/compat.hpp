// The JSON endpoints of the Rust predecessor, with the same meaning, over ChatService: scripts
// written for it go on working. Each takes a conversation, or means the newest one. docs/api.md
// describes them.
#pragma once

#include <vector>

#include "web/routes/context.hpp"

namespace notso::web {

void add_compat_routes(std::vector<Route>& routes, AppContext& context);

}  // namespace notso::web
