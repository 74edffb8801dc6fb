#include "web/routes/metrics.hpp"

#include <unistd.h>

#include <fstream>

#include "web/routes/metrics_text.hpp"

namespace notso::web {
namespace {

using services::BackendMetrics;
using services::Health;
using services::RequestCounts;

/// Of this process; 0 where the system does not say.
double resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    if (!(file >> total >> resident)) return 0;
    return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

std::string priority_label(std::size_t priority) {
    return MetricsText::label("priority", services::kPriorityNames[priority]);
}

void add_requests(MetricsText& out, const BackendMetrics& metrics) {
    out.begin("notso_requests_total", "counter", "Requests to the model that ended, and how.");
    for (std::size_t p = 0; p < metrics.counts.size(); ++p) {
        for (std::size_t f = 0; f < services::kFinishNames.size(); ++f) {
            const std::string outcome = MetricsText::label("outcome", services::kFinishNames[f]);
            out.value(static_cast<double>(metrics.counts[p].ended[f]),
                      priority_label(p) + "," + outcome);
        }
    }
    out.begin("notso_requests_refused_total",
              "counter",
              "Requests to the model that were refused, and why.");
    for (std::size_t p = 0; p < metrics.counts.size(); ++p) {
        for (const auto& [code, count] : metrics.counts[p].refused) {
            const std::string reason = MetricsText::label("reason", to_string(code));
            out.value(static_cast<double>(count), priority_label(p) + "," + reason);
        }
    }
}

void add_tokens(MetricsText& out, const BackendMetrics& metrics) {
    struct Row {
        const char* name;
        const char* help;
        std::uint64_t RequestCounts::* field;
    };
    constexpr Row kRows[] = {
        {"notso_prompt_tokens_total",
         "Prompt tokens, cached ones included.",
         &RequestCounts::prompt_tokens},
        {"notso_cached_tokens_total",
         "Prompt tokens that were found in the cache.",
         &RequestCounts::cached_tokens},
        {"notso_generated_tokens_total",
         "Tokens that were written.",
         &RequestCounts::generated_tokens},
        {"notso_draft_tokens_total",
         "Tokens that were guessed ahead.",
         &RequestCounts::draft_tokens},
        {"notso_accepted_tokens_total",
         "Guessed tokens that the model confirmed.",
         &RequestCounts::accepted_tokens},
    };
    for (const Row& row : kRows) {
        out.begin(row.name, "counter", row.help);
        for (std::size_t p = 0; p < metrics.counts.size(); ++p)
            out.value(static_cast<double>(metrics.counts[p].*row.field), priority_label(p));
    }
}

void add_gauges(MetricsText& out, const Health& health) {
    const auto add = [&out](const char* name, const char* help, double value) {
        out.begin(name, "gauge", help);
        out.value(value);
    };
    add("notso_requests_running",
        "Requests that are read or answered.",
        static_cast<double>(health.running));
    add("notso_requests_waiting",
        "Requests that wait for their turn.",
        static_cast<double>(health.waiting));
    add("notso_kv_used_bytes", "Keys and values in memory.", static_cast<double>(health.kv_bytes));
    add("notso_kv_held_bytes",
        "Of those, kept for later requests.",
        static_cast<double>(health.kv_held_bytes));
    add("notso_kv_budget_bytes",
        "What keys and values may take.",
        static_cast<double>(health.kv_budget_bytes));
    add("notso_model_loaded",
        "1 when a model can answer.",
        health.state == services::HealthState::kReady ? 1 : 0);
    add("notso_resident_memory_bytes", "Memory of this process.", resident_bytes());
}

Response metrics_response(const AppContext& context) {
    const BackendMetrics metrics = context.backend.metrics();
    const Health health = context.backend.health();
    MetricsText out;
    out.begin("notso_info", "gauge", "1, with the version.");
    out.value(1, MetricsText::label("version", context.version));
    add_requests(out, metrics);
    out.begin("notso_preemptions_total",
              "counter",
              "Requests that had to give their memory to others for a while.");
    out.value(static_cast<double>(health.preemptions));
    add_tokens(out, metrics);
    out.begin("notso_first_token_seconds", "histogram", "From a request to its first token.");
    out.histogram(metrics.first_token);
    out.begin("notso_inter_token_seconds", "histogram", "From one token to the next.");
    out.histogram(metrics.inter_token);
    out.begin("notso_queue_seconds", "histogram", "From a request to the start of its work.");
    out.histogram(metrics.queue);
    add_gauges(out, health);
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = out.text();
    return response;
}

}  // namespace

void add_metrics_routes(std::vector<Route>& routes, AppContext& context) {
    Route route{Method::kGet, "/metrics", [&context](Exchange& exchange) {
                    return exchange.respond(metrics_response(context));
                }};
    route.api = true;
    routes.push_back(std::move(route));
}

}  // namespace notso::web
