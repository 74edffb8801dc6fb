// The page's embedded files.
#pragma once

#include <vector>

#include "web/routes/context.hpp"

namespace notso::web {

/// GET /assets/{file}: immutable, compressed when the browser takes it. Answers without the API
/// key: the files are the same in every copy of the program.
void add_asset_routes(std::vector<Route>& routes);

}  // namespace notso::web
