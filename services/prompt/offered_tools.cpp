// See offered_tools.hpp.
#include "services/prompt/offered_tools.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/utf8.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::string_view kIdentifier =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

std::string leading_identifier(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(kWhiteSpace), text.size()));
    return std::string(text.substr(0, std::min(text.find_first_not_of(kIdentifier), text.size())));
}

/// "def add(a, b: int = 3): …" or "add(a, b)".
std::optional<OfferedTool> from_signature(std::string_view text) {
    if (const std::size_t def = text.find("def "); def != std::string_view::npos)
        text.remove_prefix(def + 4);
    const std::size_t open = text.find('(');
    OfferedTool tool{.name = leading_identifier(text), .by_code = true};
    if (open == std::string_view::npos || tool.name.empty()) return std::nullopt;
    int depth = 0;
    bool begins = true;
    for (std::size_t i = open; i < text.size(); ++i) {
        const char c = text[i];
        if (c == ')' || c == ']' || c == '}') --depth;
        if (depth == 0 && c == ')') break;
        if (depth == 1 && begins && c != ' ' && c != '\n') {
            begins = false;
            if (std::string name = leading_identifier(text.substr(i)); !name.empty())
                tool.parameter_names.push_back(std::move(name));
        }
        if (c == '(' || c == '[' || c == '{') ++depth;
        if (depth == 1 && (c == ',' || c == '(')) begins = true;
    }
    return tool;
}

std::optional<OfferedTool> from_object(const json::object& entry, bool by_code) {
    const json::value* function = entry.if_contains("function");
    const json::object& holder =
        function != nullptr && function->is_object() ? function->get_object() : entry;
    const json::value* name = holder.if_contains("name");
    if (name == nullptr || !name->is_string() || name->get_string().empty()) return std::nullopt;
    OfferedTool tool{.name = std::string(name->get_string()), .by_code = by_code};
    const json::value* parameters = holder.if_contains("parameters");
    if (parameters == nullptr || !parameters->is_object()) return tool;
    tool.parameters = parameters->get_object();
    const json::value* properties = tool.parameters.if_contains("properties");
    if (properties == nullptr || !properties->is_object()) return tool;
    for (const auto& [key, schema] : properties->get_object())
        tool.parameter_names.emplace_back(key);
    return tool;
}

void add(std::vector<OfferedTool>& tools, const json::array& entries, bool by_code) {
    for (const json::value& entry : entries) {
        std::optional<OfferedTool> tool;
        if (entry.is_object()) tool = from_object(entry.get_object(), by_code);
        if (entry.is_string() && by_code) tool = from_signature(entry.get_string());
        if (tool) tools.push_back(*std::move(tool));
    }
}

}  // namespace

std::vector<OfferedTool> offered_tools(const ChatRequest& request, bool tools_are_code) {
    std::vector<OfferedTool> tools;
    if (request.raw_prompt) return tools;
    add(tools, request.tools, tools_are_code);
    for (const auto& [name, by_code] :
         {std::pair("xml_tools", false), std::pair("python_tools", true)}) {
        const json::value* entries = request.template_variables.if_contains(name);
        if (entries != nullptr && entries->is_array()) add(tools, entries->get_array(), by_code);
    }
    return tools;
}

}  // namespace notso::services
