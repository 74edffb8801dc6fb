// Files of messages: into the composer, out of it, and back to whoever sent them.
#pragma once

#include <vector>

#include "web/routes/pages.hpp"

namespace notso::web {

/// POST /files, /chat/{id}/files                 files (multipart/form-data): lie in the composer
/// POST /files/remove, /chat/{id}/files/remove   file: an id; what lies in the composer
/// GET  /chat/{id}/files                         what lies in its composer
/// GET  /chat/{id}/files/{file}                  the bytes of a file, to be saved: a browser never
/// shows them as a page of this server
/// All but the last give the list of what lies there to htmx, to a browser the page with `message`.
void add_file_routes(std::vector<Route>& routes, const SharedPages& pages);

}  // namespace notso::web
