#include "web/routes/compat.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "web/routes/client_user.hpp"
#include "web/routes/compat_json.hpp"
#include "web/routes/json_fields.hpp"

namespace notso::web {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using services::Conversation;
using services::ConversationKey;
using services::ConversationView;
using services::OwnerId;
using services::SentMessage;

/// What a request says, wherever it says it: JSON body or, for GET, the query.
struct Call {
    json::object body;
    ConversationKey conversation;

    JsonFields fields() const { return JsonFields(body); }
};

ApiError api_failure(Error error) { return ApiError{std::move(error), {}}; }

/// The newest conversation; a new one when there is none.
Awaitable<Result<ConversationKey>> default_conversation(AppContext& context, OwnerId owner) {
    auto list = [&](auto done) { context.chat.list_conversations(owner, std::move(done)); };
    const auto all = co_await wait_for<std::vector<Conversation>>(list);
    if (!all) co_return std::unexpected(all.error());
    const auto newest = std::ranges::max_element(*all, {}, &Conversation::updated_at);
    if (newest != all->end()) co_return newest->key();
    auto create = [&](auto done) { context.chat.create_conversation(owner, std::move(done)); };
    const auto created = co_await wait_for<Conversation>(create);
    if (!created) co_return std::unexpected(created.error());
    co_return created->key();
}

Awaitable<ApiResult<Call>> read_call(AppContext& context, const Request& request) {
    auto body = parse_json_object(request.body);
    if (!body) co_return std::unexpected(body.error());
    Call call{std::move(*body), {request.owner, {}}};
    const auto given = call.fields().string("conversation");
    if (!given) co_return std::unexpected(given.error());
    const auto query = request.query.find("conversation");
    if (query != request.query.end()) call.conversation.id.value = query->second;
    if (*given) call.conversation.id.value = **given;
    if (!call.conversation.id.value.empty()) co_return call;
    auto newest = co_await default_conversation(context, request.owner);
    if (!newest) co_return std::unexpected(api_failure(newest.error()));
    call.conversation = std::move(*newest);
    co_return call;
}

Awaitable<ApiResult<ConversationView>> open_conversation(AppContext& context,
                                                         const ConversationKey& key) {
    auto open = [&](auto done) { context.chat.open(key, std::move(done)); };
    auto view = co_await wait_for<ConversationView>(open);
    if (!view) co_return std::unexpected(api_failure(view.error()));
    co_return std::move(*view);
}

json::object settings_json(const Conversation& conversation) {
    json::object out = {{"conversation", conversation.id.value},
                        {"thinking", conversation.thinking}};
    if (conversation.settings.temperature) out["temperature"] = *conversation.settings.temperature;
    return out;
}

/// Waits until the answer has ended or `gone` is set; a client that goes away ends the waiting,
/// never the answer.
Awaitable<std::optional<services::Message>> wait_for_end(Exchange& exchange,
                                                         std::shared_ptr<services::TurnFeed> feed) {
    auto timer = std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor,
                                                      asio::steady_timer::time_point::max());
    auto gone = std::make_shared<bool>(false);
    exchange.on_disconnect([timer, gone] {
        *gone = true;
        timer->cancel();
    });
    const auto subscription = feed->subscribe([timer] { timer->cancel(); });
    while (!feed->ended() && !*gone)
        co_await timer->async_wait(asio::as_tuple(asio::use_awaitable));
    co_return feed->snapshot().ended;
}

ApiResult<services::SendRequest> send_request(const Call& call) {
    services::SendRequest request{.conversation = call.conversation, .text = {}};
    NOTSO_TRY(auto text, call.fields().string("message"));
    if (!text) return fail_field("message", "message is missing");
    request.text = std::move(*text);
    NOTSO_TRY(request.thinking, call.fields().boolean("thinking"));
    NOTSO_TRY(auto client_id, call.fields().string("client_id"));
    request.client_id = std::move(client_id).value_or("");
    return request;
}

Awaitable<ApiResult<json::object>> chat(AppContext& context, Exchange& exchange, Call& call) {
    auto request = send_request(call);
    if (!request) co_return std::unexpected(request.error());
    request->user = client_user(exchange.request());
    request->priority = services::ChatPriority::kApi;
    auto send = [&](auto done) { context.chat.send(std::move(*request), std::move(done)); };
    const auto sent = co_await wait_for<SentMessage>(send);
    if (!sent) co_return std::unexpected(api_failure(sent.error()));
    services::Message answer = sent->answer;
    if (sent->feed) {
        const auto ended = co_await wait_for_end(exchange, sent->feed);
        if (ended) answer = *ended;
    }
    json::object out = message_json(answer);
    out["conversation"] = call.conversation.id.value;
    out["response"] = answer.text;
    co_return out;
}

Awaitable<ApiResult<json::object>> toggle_thinking(AppContext& context, Exchange&, Call& call) {
    const auto wanted = call.fields().boolean("enabled");
    if (!wanted) co_return std::unexpected(wanted.error());
    const auto view = co_await open_conversation(context, call.conversation);
    if (!view) co_return std::unexpected(view.error());
    const bool on = wanted->value_or(!view->conversation.thinking);
    if (on && !context.backend.info().can_think) {
        co_return std::unexpected(
            api_failure({ErrorCode::kUnsupported, "this model has no thinking mode"}));
    }
    auto set = [&](auto done) {
        context.chat.set_thinking(call.conversation, on, std::move(done));
    };
    const auto changed = co_await wait_for<Conversation>(set);
    if (!changed) co_return std::unexpected(api_failure(changed.error()));
    co_return settings_json(*changed);
}

Awaitable<ApiResult<json::object>> set_temperature(AppContext& context, Exchange&, Call& call) {
    const auto value = call.fields().number("temperature", 0, 2);
    if (!value) co_return std::unexpected(value.error());
    if (!*value) co_return fail_field("temperature", "temperature is missing");
    auto set = [&](auto done) {
        context.chat.set_temperature(call.conversation, **value, std::move(done));
    };
    const auto changed = co_await wait_for<Conversation>(set);
    if (!changed) co_return std::unexpected(api_failure(changed.error()));
    co_return settings_json(*changed);
}

Awaitable<ApiResult<json::object>> show_context(AppContext& context, Exchange&, Call& call) {
    const auto view = co_await open_conversation(context, call.conversation);
    if (!view) co_return std::unexpected(view.error());
    co_return conversation_json(*view, context.backend.info().context_length);
}

Awaitable<ApiResult<json::object>> reset_context(AppContext& context,
                                                 Exchange& exchange,
                                                 Call& call) {
    auto clear = [&](auto done) { context.chat.clear(call.conversation, std::move(done)); };
    const auto cleared = co_await wait_for<void>(clear);
    if (!cleared) co_return std::unexpected(api_failure(cleared.error()));
    co_return co_await show_context(context, exchange, call);
}

using CompatAction = Awaitable<ApiResult<json::object>> (*)(AppContext&, Exchange&, Call&);

Awaitable<> run_action(AppContext& context, Exchange& exchange, CompatAction action) {
    auto call = co_await read_call(context, exchange.request());
    if (!call) {
        Response refused = api_error(call.error());
        co_await exchange.respond(std::move(refused));
        co_return;
    }
    const auto result = co_await action(context, exchange, *call);
    Response response = result ? json_response(*result) : api_error(result.error());
    co_await exchange.respond(std::move(response));
}

Response exported(const ConversationView& view,
                  const std::string& format,
                  std::int64_t context_length) {
    Response response = json_response(conversation_json(view, context_length));
    std::string extension = "json";
    if (format == "markdown") {
        response.body = conversation_markdown(view);
        response.content_type = "text/markdown; charset=utf-8";
        extension = "md";
    }
    response.headers.push_back(
        {"Content-Disposition", "attachment; filename=\"chat." + extension + "\""});
    return response;
}

Awaitable<> export_chat(AppContext& context, Exchange& exchange) {
    const auto call = co_await read_call(context, exchange.request());
    if (!call) {
        Response refused = api_error(call.error());
        co_await exchange.respond(std::move(refused));
        co_return;
    }
    const auto& query = exchange.request().query;
    const std::string format = query.contains("format") ? query.at("format") : "json";
    const auto view = co_await open_conversation(context, call->conversation);
    Response response;
    if (format != "json" && format != "markdown") {
        response = api_error(
            ApiError{Error{ErrorCode::kInvalidArgument, "format must be json or markdown"},
                     ApiErrorInfo{"format", "invalid_value"}});
    } else if (!view) {
        response = api_error(view.error());
    } else {
        response = exported(*view, format, context.backend.info().context_length);
    }
    co_await exchange.respond(std::move(response));
}

Awaitable<> status(AppContext& context, Exchange& exchange) {
    auto list = [&](auto done) {
        context.chat.list_conversations(exchange.request().owner, std::move(done));
    };
    const auto all = co_await wait_for<std::vector<Conversation>>(list);
    const services::Health health = context.backend.health();
    json::object out = {{"ready", health.state == services::HealthState::kReady},
                        {"load_percent", static_cast<std::int64_t>(health.load_progress * 100)},
                        {"model", context.backend.info().id},
                        {"version", context.version},
                        {"running", health.running},
                        {"waiting", health.waiting},
                        {"conversations", nullptr}};
    if (all) out["conversations"] = all->size();
    if (!health.detail.empty()) out["detail"] = health.detail;
    if (!context.storage_error.empty()) out["storage_error"] = context.storage_error;
    Response response = json_response(out);
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_compat_routes(std::vector<Route>& routes, AppContext& context) {
    const auto add = [&routes](Method method, std::string pattern, Handler handler) {
        Route route{method, std::move(pattern), std::move(handler)};
        route.api = true;
        route.body = BodyLimit::kChat;
        routes.push_back(std::move(route));
    };
    const auto add_action = [&](Method method, std::string pattern, CompatAction action) {
        add(method, std::move(pattern), [&context, action](Exchange& exchange) {
            return run_action(context, exchange, action);
        });
    };
    add_action(Method::kPost, "/api/chat", chat);
    add_action(Method::kPost, "/api/toggle-thinking", toggle_thinking);
    add_action(Method::kPost, "/api/set-temperature", set_temperature);
    add_action(Method::kGet, "/api/context", show_context);
    add_action(Method::kPost, "/api/context", show_context);
    add_action(Method::kPost, "/api/reset-context", reset_context);
    add(Method::kGet, "/api/status", [&context](Exchange& exchange) {
        return status(context, exchange);
    });
    add(Method::kGet, "/api/export-chat", [&context](Exchange& exchange) {
        return export_chat(context, exchange);
    });
    add(Method::kGet, "/api/model-info", [&context](Exchange& exchange) {
        return exchange.respond(json_response(model_info_json(context.backend.info())));
    });
}

}  // namespace notso::web
