#include "web/routes/models.hpp"

#include "web/pages/format.hpp"
#include "web/pages/models_view.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
using Form = std::map<std::string, std::string>;

constexpr const char* kPath = "/models";

json::object room_view(const Language& language, const services::PullRoom& room) {
    return {{"disk", room.disk_bytes == 0 ? "" : format_size(language, room.disk_bytes)},
            {"memory", format_size(language, room.memory_bytes)}};
}

Awaitable<> models_page(Exchange& exchange, const Pages& pages) {
    const PageFrame frame =
        co_await pages.frame(exchange.request(), text_for(exchange.request(), "Models"));
    json::object view = frame_view(frame);
    view["plain"] = true;
    view["list"] = models_view(frame.language, frame.models, "");
    view["can_pull"] = false;
    if (const services::PullDesk* desk = pages.context().pulls) {
        view["can_pull"] = true;
        view["pull"] = pull_view(frame.language, desk->status());
        view["room"] = room_view(frame.language, desk->room());
        view["catalogue"] = catalogue_view(frame.language, frame.models);
    }
    Response response;
    response.body = co_await pages.render(exchange.request(), "models.html", std::move(view));
    co_await exchange.respond(std::move(response));
}

Awaitable<> no_pulls(Exchange& exchange, const Pages& pages) {
    const Error error{ErrorCode::kNotFound, "this server fetches no models"};
    co_await pages.show_error(exchange, error);
}

Awaitable<> pull_progress(Exchange& exchange, const Pages& pages) {
    const services::PullDesk* desk = pages.context().pulls;
    if (desk == nullptr) {
        co_await no_pulls(exchange, pages);
        co_return;
    }
    const services::PullStatus status = desk->status();
    Response response;
    if (status.state != services::PullStatus::State::kRunning)
        response.headers.push_back({"HX-Refresh", "true"});  // the page says how it ended
    response.body = pages.renderer(exchange.request())
                        .render("partials/pull_progress.html",
                                {{"pull", pull_view(Language::of(exchange.request()), status)}});
    co_await exchange.respond(std::move(response));
}

Awaitable<> start_pull(Exchange& exchange, const Pages& pages) {
    services::PullDesk* desk = pages.context().pulls;
    if (desk == nullptr) {
        co_await no_pulls(exchange, pages);
        co_return;
    }
    const Result<Form> form = exchange.request().form();
    Result<> started;
    if (!form) {
        started = std::unexpected(form.error());
    } else {
        const auto path = form->find("path");
        const auto name = form->find("name");
        const bool by_path = path != form->end() && !path->second.empty();
        started = desk->start(by_path               ? path->second
                              : name == form->end() ? std::string()
                                                    : name->second);
    }
    if (!started) {
        co_await pages.show_error(exchange, started.error());
        co_return;
    }
    Response response = see_other(kPath);
    co_await exchange.respond(std::move(response));
}

Awaitable<> cancel_pull(Exchange& exchange, const Pages& pages) {
    services::PullDesk* desk = pages.context().pulls;
    if (desk == nullptr) {
        co_await no_pulls(exchange, pages);
        co_return;
    }
    desk->cancel();
    Response response = see_other(kPath);
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_model_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back({Method::kGet, kPath, [pages](Exchange& exchange) {
                          return models_page(exchange, *pages);
                      }});
    routes.push_back({Method::kGet, "/models/pull", [pages](Exchange& exchange) {
                          return pull_progress(exchange, *pages);
                      }});
    routes.push_back({Method::kPost, "/models/pull", [pages](Exchange& exchange) {
                          return start_pull(exchange, *pages);
                      }});
    routes.push_back({Method::kPost, "/models/pull/cancel", [pages](Exchange& exchange) {
                          return cancel_pull(exchange, *pages);
                      }});
}

}  // namespace notso::web
