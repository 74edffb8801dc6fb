#include "web/routes/openai.hpp"

#include <boost/json.hpp>

#include "base/clock.hpp"
#include "web/routes/answer_stream.hpp"
#include "web/routes/client_user.hpp"
#include "web/routes/compat_json.hpp"
#include "web/routes/openai_reply.hpp"
#include "web/routes/openai_request.hpp"
#include "web/routes/run_on.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;

/// A comment at least this often keeps proxies from ending a quiet stream.
constexpr std::chrono::seconds kHeartbeat{15};
/// Larger bodies are parsed on the compute thread, and those with a grammar to be compiled: the io
/// thread must not wait for them.
constexpr std::size_t kParseHere = 64 * 1024;

bool is_quickly_parsed(std::string_view body) {
    return body.size() <= kParseHere &&
           body.find("\"response_format\"") == std::string_view::npos &&
           body.find("\"grammar\"") == std::string_view::npos;
}

std::string_view place_name(services::ModelPlace place) {
    switch (place) {
        case services::ModelPlace::kOnDisk:
            return "on_disk";
        case services::ModelPlace::kLoading:
            return "loading";
        case services::ModelPlace::kReady:
            return "ready";
        case services::ModelPlace::kFailed:
            break;
    }
    return "failed";
}

json::object model_json(const services::ModelEntry& entry, std::int64_t created) {
    const services::ModelInfo& info = entry.info;
    return {{"id", info.id},
            {"object", "model"},
            {"created", created},
            {"owned_by", "notso"},
            {"meta",
             {{"name", info.name},
              {"architecture", info.architecture},
              {"file_type", info.file_type},
              {"context_length", info.context_length},
              {"n_params", info.n_parameters},
              {"size", info.weight_bytes},
              {"memory", entry.memory_bytes},
              {"state", place_name(entry.place)},
              {"can_think", info.can_think},
              {"scripted", info.scripted},
              {"remote_host", info.remote_host}}}};
}

Awaitable<ApiResult<OpenAiCall>> parse_call(AppContext& context,
                                            const std::string& body,
                                            ReplyKind kind) {
    const ModelLookup find_model = [&backend = context.backend](const std::string& name) {
        return backend.find_model(name);
    };
    const auto parse = kind == ReplyKind::kChat ? parse_chat_call : parse_completion_call;
    if (is_quickly_parsed(body)) co_return parse(body, find_model);
    std::move_only_function<ApiResult<OpenAiCall>()> work = [&body, &find_model, parse] {
        return parse(body, find_model);
    };
    co_return co_await run_on<ApiResult<OpenAiCall>>(context.compute, std::move(work));
}

Awaitable<> stream_answer(Exchange& exchange, EventMailbox& events, ReplyHead head) {
    Response response;
    response.content_type = "text/event-stream; charset=utf-8";
    response.headers = {{"Cache-Control", "no-cache, no-transform"}, {"X-Accel-Buffering", "no"}};
    const auto started = co_await exchange.start_stream(std::move(response));
    if (!started) co_return;
    ChunkWriter writer(std::move(head));
    std::string piece = writer.first();
    while (true) {
        const auto written = co_await exchange.write(piece);
        if (!written) co_return;
        if (writer.ended()) break;
        auto batch = co_await events.take(kHeartbeat);
        if (events.cancelled()) co_return;
        piece = batch.empty() ? ": still here\n\n" : writer.write(std::move(batch));
    }
    co_await exchange.finish();
}

Awaitable<> collect_answer(Exchange& exchange, EventMailbox& events, ReplyHead head) {
    ReplyCollector collector(std::move(head));
    while (!collector.ended()) {
        auto batch = co_await events.take(kHeartbeat);
        if (events.cancelled()) co_return;
        collector.add(std::move(batch));
    }
    Response response = collector.response();
    co_await exchange.respond(std::move(response));
}

/// @param form_param  The field that shapes the answer, if the request has one: what a model does
/// not
///                    support is then its form.
Response start_error(const AppContext& context, const Error& error, std::string form_param = {}) {
    ApiErrorInfo info;
    if (error.code == ErrorCode::kUnsupported) info.param = std::move(form_param);
    info.wait_ms = context.backend.health().wait_ms;
    return api_error(error, info);
}

std::string form_field(const services::AnswerForm& form) {
    if (form.is_free()) return "";
    return form.is_generated ? "response_format" : "grammar";
}

Awaitable<> complete(AppContext& context, Exchange& exchange, ReplyKind kind) {
    const Result<> admitted = context.backend.admit(services::ChatPriority::kApi);
    if (!admitted) {
        Response refused = start_error(context, admitted.error());
        co_await exchange.respond(std::move(refused));
        co_return;
    }
    auto call = co_await parse_call(context, exchange.request().body, kind);
    if (!call) {
        Response refused = api_error(call.error());
        co_await exchange.respond(std::move(refused));
        co_return;
    }
    ReplyHead head = make_reply_head(kind, call->model_id);
    head.include_usage = call->include_usage;
    head.logprobs = call->request.logprobs;
    call->request.user = client_user(exchange.request());
    call->request.priority = services::ChatPriority::kApi;
    AnswerStream answer(co_await boost::asio::this_coro::executor);
    exchange.on_disconnect(answer.canceller());
    const std::string form_param = form_field(call->request.form);
    const auto started =
        co_await answer.start(context.backend, context.compute, std::move(call->request));
    if (answer.events().cancelled()) co_return;
    if (!started) {
        Response refused = start_error(context, started.error(), form_param);
        co_await exchange.respond(std::move(refused));
    } else if (call->stream) {
        co_await stream_answer(exchange, answer.events(), std::move(head));
    } else {
        co_await collect_answer(exchange, answer.events(), std::move(head));
    }
}

Route api_route(Method method, std::string pattern, Handler handler) {
    Route route{method, std::move(pattern), std::move(handler)};
    route.api = true;
    route.body = BodyLimit::kChat;
    return route;
}

Response find_model(const AppContext& context, const std::string& id, std::int64_t created) {
    std::string known;
    for (const services::ModelEntry& entry : context.backend.models()) {
        if (entry.info.id == id) return json_response(model_json(entry, created));
        known += (known.empty() ? "" : ", ") + entry.info.id;
    }
    ApiErrorInfo what{"model", "model_not_found"};
    return api_error(
        Error{ErrorCode::kNotFound, "there is no model " + id + "; these are served: " + known},
        what);
}

}  // namespace

void add_openai_routes(std::vector<Route>& routes, AppContext& context) {
    const std::int64_t created = now_ms() / 1000;
    routes.push_back(api_route(Method::kGet, "/v1/models", [&context, created](Exchange& exchange) {
        json::array data;
        for (const services::ModelEntry& entry : context.backend.models())
            data.push_back(model_json(entry, created));
        return exchange.respond(json_response({{"object", "list"}, {"data", data}}));
    }));
    routes.push_back(
        api_route(Method::kGet, "/v1/models/{id}", [&context, created](Exchange& exchange) {
            return exchange.respond(
                find_model(context, exchange.request().params.at("id"), created));
        }));
    routes.push_back(
        api_route(Method::kPost, "/v1/chat/completions", [&context](Exchange& exchange) {
            return complete(context, exchange, ReplyKind::kChat);
        }));
    routes.push_back(api_route(Method::kPost, "/v1/completions", [&context](Exchange& exchange) {
        return complete(context, exchange, ReplyKind::kCompletion);
    }));
}

}  // namespace notso::web
