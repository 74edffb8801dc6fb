#include "web/routes/health.hpp"

#include <boost/json.hpp>

namespace notso::web {
namespace {

std::string_view state_name(const services::Health& health) {
    switch (health.state) {
        case services::HealthState::kLoading:
            return "loading";
        case services::HealthState::kReady:
            return "ok";
        case services::HealthState::kFailed:
            return "failed";
    }
    return "failed";
}

Response text_response(int status, std::string text) {
    Response response;
    response.status = status;
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::move(text) + "\n";
    return response;
}

/// 200 only when a message sent now would be answered and kept.
Response readiness(const AppContext& context) {
    const services::Health health = context.backend.health();
    Response response = text_response(200, "ready");
    if (!context.storage_error.empty()) {
        response = text_response(503, "storage: " + context.storage_error);
    } else if (health.state == services::HealthState::kLoading) {
        response = text_response(503, fmt::format("loading {:.0f} %", health.load_progress * 100));
    } else if (health.state == services::HealthState::kFailed) {
        response = text_response(503, "failed: " + health.detail);
    }
    if (response.status == 503) response.headers.push_back({"Retry-After", "5"});
    return response;
}

Response health_report(const AppContext& context) {
    const services::Health health = context.backend.health();
    boost::json::object body = {
        {"status", state_name(health)},
        {"version", context.version},
        {"model", context.backend.info().id},
        {"load_percent", static_cast<std::int64_t>(health.load_progress * 100)},
        {"running", health.running},
        {"waiting", health.waiting}};
    if (!health.detail.empty()) body["detail"] = health.detail;
    if (!context.storage_error.empty()) body["storage_error"] = context.storage_error;
    Response response;
    response.content_type = "application/json";
    response.body = boost::json::serialize(body);
    return response;
}

void add_probe(std::vector<Route>& routes, std::string path, Handler handler) {
    Route route{Method::kGet, std::move(path), std::move(handler)};
    route.api = true;
    route.open = true;
    routes.push_back(std::move(route));
}

}  // namespace

void add_health_routes(std::vector<Route>& routes, AppContext& context) {
    add_probe(routes, "/livez", [](Exchange& exchange) {
        return exchange.respond(text_response(200, "alive"));
    });
    add_probe(routes, "/readyz", [&context](Exchange& exchange) {
        return exchange.respond(readiness(context));
    });
    add_probe(routes, "/health", [&context](Exchange& exchange) {
        return exchange.respond(health_report(context));
    });
}

}  // namespace notso::web
