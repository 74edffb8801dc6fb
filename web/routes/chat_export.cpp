#include <algorithm>

#include "services/session/message_names.hpp"
#include "web/routes/chat.hpp"
#include "web/routes/compat_json.hpp"
#include "web/routes/fragments.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
using services::ConversationView;
using services::Message;

json::array tool_uses_json(const Message& message) {
    json::array uses;
    for (const services::ToolUse& use : message.tool_uses) {
        uses.push_back(json::object{{"name", use.name},
                                    {"arguments", use.arguments},
                                    {"state", services::name_of(use.state)},
                                    {"output", use.output}});
    }
    return uses;
}

/// Every version, with what it followed and whether it is on the path that is shown.
std::string as_json(ConversationView view, std::vector<Message> all, std::int64_t context_length) {
    const std::vector<Message> path = std::exchange(view.messages, std::move(all));
    json::object out = conversation_json(view, context_length);
    json::array& messages = out["messages"].as_array();
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const Message& message = view.messages[i];
        json::object& one = messages[i].as_object();
        one["parent"] = nullptr;
        if (message.parent) one["parent"] = message.parent->value;
        one["shown"] = std::ranges::find(path, message.id, &Message::id) != path.end();
        if (!message.tool_uses.empty()) one["tool_uses"] = tool_uses_json(message);
    }
    return json::serialize(out);
}

Response as_file(std::string body, std::string content_type, std::string_view name) {
    Response response;
    response.body = std::move(body);
    response.content_type = std::move(content_type);
    response.headers.push_back(
        {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", name)});
    return response;
}

Awaitable<Result<Response>> exported(const Pages& pages, const Request& request) {
    const services::ConversationKey key = conversation_of(request);
    const auto given = request.query.find("format");
    const std::string format = given == request.query.end() ? "json" : given->second;
    auto view = co_await open_conversation(pages, key);
    if (!view) co_return std::unexpected(view.error());
    if (format == "md")
        co_return as_file(conversation_markdown(*view), "text/markdown; charset=utf-8", "chat.md");
    if (format != "json")
        co_return fail(ErrorCode::kInvalidArgument, "the format of an export is md or json");
    auto start = [&pages, &key](services::Completion<std::vector<Message>> done) {
        pages.context().chat.all_messages(key, std::move(done));
    };
    auto all = co_await wait_for<std::vector<Message>>(start);
    if (!all) co_return std::unexpected(all.error());
    const std::int64_t context_length = pages.context().backend.info().context_length;
    co_return as_file(as_json(*std::move(view), *std::move(all), context_length),
                      "application/json",
                      "chat.json");
}

Awaitable<> export_chat(Exchange& exchange, const Pages& pages) {
    Result<Response> file = co_await exported(pages, exchange.request());
    if (!file) {
        co_await pages.show_error(exchange, file.error());
        co_return;
    }
    co_await exchange.respond(*std::move(file));
}

}  // namespace

void add_chat_export_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back({Method::kGet, "/chat/{id}/export", [pages](Exchange& exchange) {
                          return export_chat(exchange, *pages);
                      }});
}

}  // namespace notso::web
