// Messages and tools of an API request.
#include <algorithm>

#include "services/prompt/messages.hpp"
#include "web/routes/openai_request.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
using services::ChatMessage;
using services::kChatRoles;

constexpr std::size_t kMaxParts = 1000;
constexpr std::size_t kMaxNameBytes = 64;

ApiResult<std::string> parse_part(const json::value& part, const std::string& path) {
    if (!part.is_object())
        return fail_field(path, "{} must be an object, not {}", path, type_name(part));
    const JsonFields fields(part.get_object(), path + ".");
    NOTSO_TRY(const auto type, fields.string("type"));
    if (!type) return fail_field(fields.path("type"), "{} is missing", fields.path("type"));
    const std::string_view key = *type == "refusal" ? "refusal" : "text";
    if (*type != "text" && *type != "refusal") {
        return unsupported_field(fields.path("type"), "only parts of type text can be read");
    }
    NOTSO_TRY(auto text, fields.string(key));
    if (!text) return fail_field(fields.path(key), "{} is missing", fields.path(key));
    return std::move(*text);
}

ApiResult<std::string> parse_content(const JsonFields& message, bool may_be_absent) {
    const json::value* content = message.find("content");
    const std::string path = message.path("content");
    if (content == nullptr) {
        if (may_be_absent) return std::string();
        return fail_field(path, "{} is missing", path);
    }
    if (content->is_string()) return std::string(content->get_string());
    if (!content->is_array()) {
        return fail_field(
            path, "{} must be a string or an array of parts, not {}", path, type_name(*content));
    }
    NOTSO_TRY(const json::array* parts, message.array("content", kMaxParts));
    std::string text;
    for (std::size_t i = 0; i < parts->size(); ++i) {
        NOTSO_TRY(const auto part, parse_part((*parts)[i], fmt::format("{}[{}]", path, i)));
        if (i > 0) text += '\n';
        text += part;
    }
    return text;
}

bool is_function_name(std::string_view name) {
    return !name.empty() && name.size() <= kMaxNameBytes && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    });
}

ApiResult<> check_function(const JsonFields& holder, bool is_call) {
    NOTSO_TRY(const json::object* function, holder.object("function"));
    if (function == nullptr)
        return fail_field(holder.path("function"), "{} is missing", holder.path("function"));
    const JsonFields fields(*function, holder.path("function."));
    NOTSO_TRY(const auto name, fields.string("name"));
    if (!name || !is_function_name(*name)) {
        return fail_field(fields.path("name"),
                          "{} must be 1 to {} letters, digits, '_', '-' or '.'",
                          fields.path("name"),
                          kMaxNameBytes);
    }
    if (is_call) {
        NOTSO_TRY(const auto arguments, fields.string("arguments"));
        if (!arguments)
            return fail_field(fields.path("arguments"), "{} is missing", fields.path("arguments"));
        return {};
    }
    NOTSO_CHECK(fields.string("description"));
    NOTSO_CHECK(fields.object("parameters"));
    return {};
}

/// Checks an array of {"type":"function","function":{…}}.
ApiResult<json::array> parse_functions(const JsonFields& fields,
                                       std::string_view name,
                                       bool are_calls) {
    NOTSO_TRY(const json::array* items, fields.array(name, kMaxTools));
    if (items == nullptr) return json::array();
    for (std::size_t i = 0; i < items->size(); ++i) {
        const json::value& item = (*items)[i];
        const std::string path = fmt::format("{}[{}]", fields.path(name), i);
        if (!item.is_object())
            return fail_field(path, "{} must be an object, not {}", path, type_name(item));
        const JsonFields item_fields(item.get_object(), path + ".");
        NOTSO_TRY(const auto type, item_fields.string("type"));
        if (type.value_or("function") != "function") {
            return unsupported_field(item_fields.path("type"), "only functions can be offered");
        }
        NOTSO_CHECK(check_function(item_fields, are_calls));
    }
    return *items;
}

ApiResult<ChatMessage> parse_message(const json::value& value, const std::string& path) {
    if (!value.is_object())
        return fail_field(path, "{} must be an object, not {}", path, type_name(value));
    const JsonFields fields(value.get_object(), path + ".");
    NOTSO_TRY(const auto role, fields.string("role"));
    if (!role || std::ranges::find(kChatRoles, *role) == kChatRoles.end()) {
        return fail_field(fields.path("role"),
                          "{} must be system, developer, user, assistant or tool",
                          fields.path("role"));
    }
    ChatMessage message;
    message.role = *role == "developer" ? "system" : *role;
    if (*role == "assistant") {
        NOTSO_TRY(message.tool_calls, parse_functions(fields, "tool_calls", true));
    }
    NOTSO_TRY(message.content, parse_content(fields, *role == "assistant"));
    NOTSO_TRY(message.name, fields.string("name"));
    NOTSO_TRY(message.tool_call_id, fields.string("tool_call_id"));
    return message;
}

/// {"type":"function","function":{"name":…}}
ApiResult<> parse_named_choice(const JsonFields& choice, services::ChatRequest& request) {
    NOTSO_TRY(const auto type, choice.string("type"));
    if (type.value_or("function") != "function")
        return unsupported_field(choice.path("type"), "only a function can be chosen");
    NOTSO_CHECK(check_function(choice, false));
    NOTSO_TRY(const json::object* function, choice.object("function"));
    const std::string name(function->at("name").as_string());
    const bool offered = std::ranges::any_of(request.tools, [&](const json::value& tool) {
        return tool.at("function").at("name").as_string() == name;
    });
    if (!offered) {
        return fail_field("tool_choice.function.name",
                          "tool_choice.function.name is {}, which is none of the tools",
                          json::serialize(json::string(name)));
    }
    request.tool_choice = {services::ToolChoice::Kind::kFunction, name};
    return {};
}

}  // namespace

ApiResult<std::vector<ChatMessage>> parse_messages(const JsonFields& fields) {
    NOTSO_TRY(const json::array* items, fields.array("messages", kMaxMessages));
    if (items == nullptr || items->empty())
        return fail_field("messages", "messages must have at least one message");
    std::vector<ChatMessage> messages;
    messages.reserve(items->size());
    for (std::size_t i = 0; i < items->size(); ++i) {
        NOTSO_TRY(auto message, parse_message((*items)[i], fmt::format("messages[{}]", i)));
        messages.push_back(std::move(message));
    }
    return messages;
}

ApiResult<> parse_tools(const JsonFields& fields, services::ChatRequest& request) {
    NOTSO_TRY(request.tools, parse_functions(fields, "tools", false));
    NOTSO_TRY(const auto parallel, fields.boolean("parallel_tool_calls"));
    request.parallel_tool_calls = parallel.value_or(true);
    const json::value* choice = fields.find("tool_choice");
    if (choice == nullptr) return {};
    if (choice->is_object())
        return parse_named_choice(JsonFields(choice->get_object(), "tool_choice."), request);
    if (!choice->is_string()) {
        return fail_field(
            "tool_choice", "tool_choice must be a string or an object, not {}", type_name(*choice));
    }
    const std::string_view name = choice->get_string();
    if (name == "none") request.tools.clear();
    if (name == "auto" || name == "none") return {};
    if (name != "required")
        return fail_field("tool_choice", "tool_choice must be none, auto, required or an object");
    if (request.tools.empty())
        return fail_field("tool_choice",
                          "tool_choice is required, but there are no tools to be called");
    request.tool_choice.kind = services::ToolChoice::Kind::kRequired;
    return {};
}

}  // namespace notso::web
