// What keeps a page current: the event stream of a running answer, and the question of other tabs
// whether there is news.
#pragma once

#include <vector>

#include "web/routes/pages.hpp"

namespace notso::web {

/// GET /chat/{id}/stream   Server-Sent Events of the running answer, from Last-Event-ID or
/// ?from=<answer>-<seq>.
///                         Unnamed events are htmx fragments; the named event turn-end is the last
///                         one.
/// GET /chat/{id}/state    ?since=<message>: 204 without news, else fragments with the messages
/// after that one.
void add_stream_routes(std::vector<Route>& routes, const SharedPages& pages);

}  // namespace notso::web
