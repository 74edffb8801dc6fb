// See tool_texts.hpp. Lists are written by our own template engine, which knows how Python prints a
// dictionary.
#include "services/prompt/tool_texts.hpp"

#include <memory>

#include "services/template/template.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

// As SmolLM3's own template renders it.
constexpr std::string_view kSection = R"(### Tools

{% if xml_tools %}You may call one or more functions to assist with the user query.
You are provided with function signatures within <tools></tools> XML tags:

<tools>
{% for tool in xml_tools %}{{ tool | string }}
{% endfor %}</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call>{% endif %}{% if python_tools %}When you send a message containing Python code between '<code>' and '</code>' tags, it will be executed in a stateful Jupyter notebook environment, and you will then be given the output to continued reasoning in an agentic loop.

You can use the following tools in your python code like regular functions:
<tools>
{% for tool in python_tools %}{{ tool | string }}
{% endfor %}</tools>

The state persists between code executions: so variables that you define in one step are still available thereafter.{% endif %})";

constexpr std::string_view kJson = "{{ value | tojson }}";

Result<std::string> render_text(std::string_view source, json::object variables) {
    NOTSO_TRY(const auto parsed,
              jinja::Template::parse(source, {.trim_blocks = false, .lstrip_blocks = false}));
    return parsed->render({.variables = std::move(variables)});
}

/// As Python's json.dumps writes it; compact where that is refused (a text beyond all budgets).
std::string json_text(const json::value& value) {
    return render_text(kJson, {{"value", value}}).value_or(json::serialize(value));
}

const json::object& function_of(const json::object& call) {
    const json::value* function = call.if_contains("function");
    return function != nullptr && function->is_object() ? function->get_object() : call;
}

std::optional<json::value> parsed_arguments(const json::value& arguments) {
    const json::string* text = arguments.if_string();
    if (text == nullptr) return std::nullopt;
    boost::system::error_code error;
    json::value value = json::parse(*text, error);
    if (error || !value.is_object()) return std::nullopt;
    return value;
}

}  // namespace

Result<std::string> tools_section(const json::array& tools, const json::array& python_tools) {
    return render_text(kSection, {{"xml_tools", tools}, {"python_tools", python_tools}});
}

std::string call_json(const json::object& call) {
    const json::object& function = function_of(call);
    const json::value* name = function.if_contains("name");
    const json::value* arguments = function.if_contains("arguments");
    std::string text = "{\"name\": ";
    text += json_text(name == nullptr ? json::value("") : *name);
    text += ", \"arguments\": ";
    if (arguments == nullptr) {
        text += "{}";
    } else if (parsed_arguments(*arguments)) {
        text += std::string_view(arguments->get_string());
    } else {
        text += json_text(*arguments);
    }
    return text + '}';
}

std::string tagged_call(std::string_view text) {
    return fmt::format("{}\n{}\n{}", kToolCallTag, text, kToolCallEndTag);
}

std::string tagged_result(std::string_view text) {
    return fmt::format("<tool_response>\n{}\n</tool_response>", text);
}

json::array with_parsed_arguments(const json::array& calls) {
    json::array out = calls;
    for (json::value& call : out) {
        if (!call.is_object()) continue;
        json::value* function = call.get_object().if_contains("function");
        json::object& holder = function != nullptr && function->is_object() ? function->get_object()
                                                                            : call.get_object();
        json::value* arguments = holder.if_contains("arguments");
        if (arguments == nullptr) continue;
        if (auto parsed = parsed_arguments(*arguments)) *arguments = *std::move(parsed);
    }
    return out;
}

}  // namespace notso::services
