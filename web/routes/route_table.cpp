// Every route of the program: one line per file of routes.
#include "web/routes/compat.hpp"
#include "web/routes/context.hpp"
#include "web/routes/health.hpp"
#include "web/routes/openai.hpp"

namespace notso::web {

std::vector<Route> make_routes(AppContext& context) {
    std::vector<Route> routes;
    add_health_routes(routes, context);
    add_openai_routes(routes, context);
    add_compat_routes(routes, context);
    return routes;
}

}  // namespace notso::web
