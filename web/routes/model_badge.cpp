#include "web/routes/model_badge.hpp"

#include <algorithm>

#include "web/pages/answer_painter.hpp"
#include "web/pages/thinking_view.hpp"

namespace notso::web {
namespace {

constexpr std::size_t kIdDigits = 32;

std::string query_value(const Request& request, const std::string& name) {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::string() : found->second;
}

bool is_id(std::string_view text) {
    return text.size() == kIdDigits &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// What a chat page shows beside the badge, when it is another model or in another state.
std::string news_html(const Request& request,
                      const Pages& pages,
                      const boost::json::object& model) {
    const PageRenderer& renderer = pages.renderer(request);
    if (query_value(request, "seen") == model.at("seen").as_string()) return {};
    const auto budget = parse_budget(query_value(request, "budget"));
    boost::json::object view = {{"model", model},
                                {"thinking", query_value(request, "thinking") == "1"},
                                {"budgets",
                                 budgets_view(renderer.language(),
                                              budget.value_or(std::nullopt),
                                              pages.context().chat.thinking_budget())},
                                {"conversation", nullptr}};
    const std::string conversation = query_value(request, "conversation");
    if (is_id(conversation)) view["conversation"] = {{"id", conversation}};
    return partial(
               "model-banner", "innerHTML", renderer.render("partials/model_banner.html", view)) +
           partial("thinking-choice",
                   "innerHTML",
                   renderer.render("partials/thinking_choice.html", view));
}

Awaitable<> model_badge(Exchange& exchange, const Pages& pages) {
    const Request& request = exchange.request();
    PageFrame frame = pages.bare_frame(request, "");
    Pages::show_model(frame, query_value(request, "model"));
    const boost::json::object model = badge_view(frame);
    Response response;
    response.body = partial(
        "model-badge",
        "outerHTML",
        pages.renderer(exchange.request()).render("partials/model_badge.html", {{"model", model}}));
    if (request.query.contains("seen")) response.body += news_html(request, pages, model);
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_model_badge_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back({Method::kGet, "/model-badge", [pages](Exchange& exchange) {
                          return model_badge(exchange, *pages);
                      }});
}

}  // namespace notso::web
