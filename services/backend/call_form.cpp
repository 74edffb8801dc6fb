// See call_form.hpp.
#include "services/backend/call_form.hpp"

#include <algorithm>
#include <utility>

namespace notso::services {
namespace {

namespace json = boost::json;

/// A schema that is put below another keeps its own root: "#/$defs/x" becomes
/// "#/$defs/tool0/allOf/1/$defs/x". Recursion is bounded by the depth limit of the parser that made
/// the value.
void move_references(json::value& value, const std::string& root) {
    if (json::array* array = value.if_array()) {
        for (json::value& item : *array) move_references(item, root);
    }
    json::object* object = value.if_object();
    if (object == nullptr) return;
    for (auto& [key, item] : *object) {
        json::string* text = key == "$ref" ? item.if_string() : nullptr;
        if (text != nullptr && text->starts_with("#")) {
            item = json::string(root + std::string(*text).substr(1));
        } else {
            move_references(item, root);
        }
    }
}

/// Which tool's schema can't be followed; all of them together may be too large all the same.
Result<> check_each(const std::vector<OfferedTool>& tools) {
    for (const OfferedTool& tool : tools) {
        const auto form = json_schema_form(tool.parameters);
        if (!form) {
            return fail(form.error().code,
                        "tools: the parameters of {}: {}",
                        tool.name,
                        form.error().detail);
        }
    }
    return {};
}

}  // namespace

json::object call_schema(const std::vector<OfferedTool>& tools, std::string_view arguments_key) {
    json::object definitions;
    json::array calls;
    for (const OfferedTool& tool : tools) {
        if (tool.by_code) continue;
        const std::string name = fmt::format("tool{}", definitions.size());
        json::value parameters = tool.parameters;
        move_references(parameters, "#/$defs/" + name + "/allOf/1");
        // Arguments are an object, also where the schema leaves it open.
        json::array both = {json::object{{"type", "object"}}, std::move(parameters)};
        definitions[name] = json::object{{"allOf", std::move(both)}};
        calls.push_back(json::object{
            {"type", "object"},
            {"properties",
             {{"name", {{"const", tool.name}}}, {arguments_key, {{"$ref", "#/$defs/" + name}}}}},
            {"required", json::array{"name", arguments_key}},
            {"additionalProperties", false}});
    }
    return {{"$defs", std::move(definitions)}, {"anyOf", std::move(calls)}};
}

Result<AnswerForm> call_form(std::vector<OfferedTool> tools,
                             const std::string& only,
                             std::string_view arguments_key) {
    std::erase_if(tools, [&](const OfferedTool& tool) {
        return tool.by_code || (!only.empty() && tool.name != only);
    });
    auto form = json_schema_form(call_schema(tools, arguments_key));
    if (form) return form;
    NOTSO_CHECK(check_each(tools));
    for (OfferedTool& tool : tools) tool.parameters = {};
    return json_schema_form(call_schema(tools, arguments_key));
}

}  // namespace notso::services
