#include "web/routes/installed_app.hpp"

#include "web/assets/assets.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;

constexpr std::string_view kOfflinePath = "/offline";
// What the page looks like before its style sheet is there: the light background and the accent.
constexpr std::string_view kBackground = "#e0e5ec";

json::object icon(std::string_view name, std::string_view sizes, std::string_view purpose) {
    return {{"src", asset_url(name)},
            {"sizes", sizes},
            {"type", find_asset(asset_url(name))->content_type},
            {"purpose", purpose}};
}

Response manifest(const Request& request) {
    const json::object app = {
        {"id", "/"},
        {"name", "NotSo-SmolLM3"},
        {"short_name", "NotSo"},
        {"description", text_for(request, "Chat with a small language model")},
        {"lang", Language::of(request).code()},
        {"start_url", "/"},
        {"scope", "/"},
        {"display", "standalone"},
        {"background_color", kBackground},
        {"theme_color", kBackground},
        {"icons",
         {icon("icon-192.png", "192x192", "any"),
          icon("icon-512.png", "512x512", "any"),
          icon("icon-maskable.png", "512x512", "maskable"),
          icon("icon.svg", "any", "any")}}};
    Response response;
    response.content_type = "application/manifest+json";
    response.body = json::serialize(app);
    return response;
}

/// Another shell, or another language of its page, is another cache.
Response worker(const Request& request) {
    const json::array files = {asset_url("app.css"), asset_url("app.js"), asset_url("icon.svg")};
    std::string cache = fmt::format("shell-{}", Language::of(request).code());
    for (const json::value& file : files) cache += std::string_view(file.as_string()).substr(7);
    const json::object shell = {{"cache", cache}, {"page", kOfflinePath}, {"files", files}};
    Response response;
    response.content_type = "text/javascript; charset=utf-8";
    response.headers.push_back({"Cache-Control", "no-cache"});
    response.body = fmt::format("const kShell = {};\n{}",
                                json::serialize(shell),
                                find_asset(asset_url("worker.js"))->bytes);
    return response;
}

Response offline_page(const Request& request, const Pages& pages) {
    json::object view =
        frame_view(pages.bare_frame(request, text_for(request, "The server is away")));
    view["bare"] = true;
    Response response;
    response.body = pages.renderer(request).render("offline.html", view);
    return response;
}

using Answer = Response (*)(const Request&, const Pages&);

void add(std::vector<Route>& routes, const SharedPages& pages, std::string path, Answer answer) {
    Route route{Method::kGet, std::move(path), [pages, answer](Exchange& exchange) {
                    return exchange.respond(answer(exchange.request(), *pages));
                }};
    route.open = true;
    routes.push_back(std::move(route));
}

}  // namespace

void add_installed_app_routes(std::vector<Route>& routes, const SharedPages& pages) {
    add(routes, pages, "/manifest.webmanifest", [](const Request& request, const Pages&) {
        return manifest(request);
    });
    add(routes, pages, "/worker.js", [](const Request& request, const Pages&) {
        return worker(request);
    });
    add(routes, pages, std::string(kOfflinePath), offline_page);
}

}  // namespace notso::web
