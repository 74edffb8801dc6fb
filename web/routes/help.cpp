#include "web/routes/help.hpp"

#include "web/pages/help_view.hpp"

namespace notso::web {
namespace {

Awaitable<> get_help(Exchange& exchange, const Pages& pages) {
    const Request& request = exchange.request();
    const Language& language = Language::of(request);
    const auto part = request.query.find("part");
    Response response;
    if (part == request.query.end()) {
        const PageFrame frame = co_await pages.frame(request, text_for(request, "Help"));
        boost::json::object view = frame_view(frame);
        view["plain"] = true;
        view["shortcuts"] = shortcuts_view(language);
        view["commands"] = commands_view(language);
        response.body = co_await pages.render(request, "help.html", std::move(view));
    } else {
        const bool menu = part->second == "commands";
        response.body = pages.renderer(request).render(
            menu ? "partials/commands.html" : "partials/help_dialog.html",
            {{"shortcuts", shortcuts_view(language)}, {"commands", commands_view(language)}});
    }
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_help_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back({Method::kGet, "/help", [pages](Exchange& exchange) {
                          return get_help(exchange, *pages);
                      }});
}

}  // namespace notso::web
