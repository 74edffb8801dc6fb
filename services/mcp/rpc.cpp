#include "services/mcp/rpc.hpp"

#include "base/utf8.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 128;  // of a list of tools with nested schemas
constexpr std::size_t kMaxErrorBytes = 2000;

std::string error_text(const json::value& error) {
    const json::object* object = error.if_object();
    const json::value* message = object == nullptr ? nullptr : object->if_contains("message");
    if (message == nullptr || !message->is_string()) return "the server reports an error";
    return std::string(truncate_utf8(message->get_string(), kMaxErrorBytes));
}

double number_in(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

}  // namespace

std::optional<std::int64_t> RpcMessage::answered() const {
    if (!method.empty() || (!result && !error) || !id.is_int64()) return std::nullopt;
    return id.get_int64();
}

Result<RpcMessage> parse_rpc(std::string_view text) {
    boost::system::error_code error;
    json::value value = json::parse(text, error, {}, {.max_depth = kMaxDepth});
    if (error || !value.is_object())
        return fail(ErrorCode::kCorruptData, "the server sends what is no JSON-RPC message");
    json::object& object = value.get_object();
    RpcMessage out;
    if (const json::value* id = object.if_contains("id")) out.id = *id;
    if (const json::value* method = object.if_contains("method"); method && method->is_string())
        out.method = method->get_string();
    if (json::value* params = object.if_contains("params"); params && params->is_object())
        out.params = std::move(params->get_object());
    if (json::value* result = object.if_contains("result"); result && result->is_object())
        out.result = std::move(result->get_object());
    if (const json::value* failure = object.if_contains("error")) out.error = error_text(*failure);
    return out;
}

std::string rpc_request(std::int64_t id, std::string_view method, json::object params) {
    return json::serialize(json::object{
        {"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}});
}

std::string rpc_notification(std::string_view method, json::object params) {
    return json::serialize(
        json::object{{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}});
}

std::string rpc_answer(const RpcMessage& request) {
    json::object answer{{"jsonrpc", "2.0"}, {"id", request.id}};
    if (request.method == "ping")
        answer["result"] = json::object{};
    else
        answer["error"] = json::object{{"code", -32601}, {"message", "not offered by this client"}};
    return json::serialize(answer);
}

json::object with_progress_token(json::object params, std::int64_t id) {
    params["_meta"] = json::object{{"progressToken", id}};
    return params;
}

std::optional<std::pair<std::int64_t, ToolProgress>> progress_of(const RpcMessage& message) {
    if (message.method != "notifications/progress") return std::nullopt;
    const json::value* token = message.params.if_contains("progressToken");
    if (token == nullptr || !token->is_int64()) return std::nullopt;
    ToolProgress progress{.done = number_in(message.params, "progress"),
                          .total = number_in(message.params, "total")};
    if (const json::value* text = message.params.if_contains("message"); text && text->is_string())
        progress.text = truncate_utf8(text->get_string(), 500);
    return std::pair{token->get_int64(), std::move(progress)};
}

}  // namespace notso::services
