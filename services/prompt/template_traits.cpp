// The conversations that templates are tried with. See template_traits.hpp.
#include "services/prompt/template_traits.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 3> kToolVariables = {"tools", "xml_tools", "python_tools"};
constexpr std::string_view kCallName = "probe_call";
constexpr std::string_view kCallKey = "probe_key";
constexpr std::string_view kResult = "probe result";
constexpr std::string_view kSystem = "probe system text";
constexpr std::string_view kDate = "2025-01-01T00:00:00";

json::array probe_tools() {
    const json::object parameters = {
        {"type", "object"},
        {"properties", {{kCallKey, {{"type", "string"}, {"description", "A key."}}}}},
        {"required", json::array{kCallKey}}};
    return {json::object{
        {"type", "function"},
        {"function",
         {{"name", kCallName}, {"description", "A probe."}, {"parameters", parameters}}}}};
}

json::object say(std::string_view role, std::string_view content) {
    return {{"role", role}, {"content", content}};
}

class Probe {
  public:
    Probe(const jinja::Template& chat_template, const json::object& variables)
        : template_(chat_template), variables_(variables) {}

    /// Empty where the template refuses.
    std::optional<std::string> render(json::array messages, std::string_view variable = {}) const {
        jinja::RenderInput input{.variables = variables_, .now = std::string(kDate)};
        input.variables["messages"] = std::move(messages);
        if (!variable.empty()) input.variables[variable] = probe_tools();
        auto text = template_.render(input);
        return text ? std::optional(*std::move(text)) : std::nullopt;
    }

    /// Some templates want tools in every request.
    std::optional<std::string> render_somehow(const json::array& messages) const {
        auto text = render(messages);
        return text ? text : render(messages, "tools");
    }

  private:
    const jinja::Template& template_;
    const json::object& variables_;
};

bool shows_calls(const Probe& probe) {
    json::object call = say("assistant", "");
    call["tool_calls"] = json::array{
        json::object{{"id", "probe0001"},
                     {"type", "function"},
                     {"function", {{"name", kCallName}, {"arguments", {{kCallKey, "v"}}}}}}};
    const json::array messages = {say("user", "a"), std::move(call)};
    const auto text = probe.render(messages);
    if (text) return text->contains(kCallName) && text->contains(kCallKey);
    // With tools their own names are in the text: the call must add one more.
    const auto with = probe.render(messages, "tools");
    const auto without = probe.render({say("user", "a"), say("assistant", "")}, "tools");
    return with && without && with->rfind(kCallKey) != std::string::npos &&
           with->size() > without->size() + kCallName.size();
}

ToolResultForm result_form(const Probe& probe, bool knows_tools) {
    json::object result = say("tool", kResult);
    result["tool_call_id"] = "probe0001";
    const auto as_tool =
        probe.render_somehow({say("user", "a"), say("assistant", "b"), std::move(result)});
    if (!as_tool || !as_tool->contains(kResult)) return ToolResultForm::kUserTurn;
    const auto as_user =
        probe.render_somehow({say("user", "a"), say("assistant", "b"), say("user", kResult)});
    if (!as_user) return ToolResultForm::kAsGiven;
    if (*as_tool == *as_user) return ToolResultForm::kWrapped;
    // A turn of its own role, but otherwise like any other: of a template that has heard of tools,
    // that is the model's own form.
    std::string renamed = *as_user;
    const std::size_t role = renamed.rfind("user", renamed.rfind(kResult));
    if (role != std::string::npos) renamed.replace(role, 4, "tool");
    return renamed == *as_tool && !knows_tools ? ToolResultForm::kWrapped
                                               : ToolResultForm::kAsGiven;
}

}  // namespace

bool TemplateTraits::reads(std::string_view variable) const {
    return std::ranges::find(tool_variables, variable) != tool_variables.end();
}

TemplateTraits probe_template(const jinja::Template& chat_template, const json::object& variables) {
    const Probe probe(chat_template, variables);
    TemplateTraits traits;
    const json::array question = {say("user", "a")};
    const auto without = probe.render(question);
    for (const std::string_view variable : kToolVariables) {
        const auto with = probe.render(question, variable);
        if (with && with != without) traits.tool_variables.emplace_back(variable);
    }
    traits.shows_calls = shows_calls(probe);
    traits.results = result_form(probe, !traits.tool_variables.empty());
    return traits;
}

std::string default_system_text(const jinja::Template& chat_template,
                                const jinja::RenderInput& input) {
    jinja::RenderInput probe = input;
    probe.variables["messages"] = json::array{say("user", "a")};
    const auto without = chat_template.render(probe);
    probe.variables["messages"] = json::array{say("system", kSystem), say("user", "a")};
    const auto with = chat_template.render(probe);
    if (!without || !with) return {};
    const std::size_t at = with->find(kSystem);
    if (at == std::string::npos) return {};
    const std::string_view before = std::string_view(*with).substr(0, at);
    const std::string_view after = std::string_view(*with).substr(at + kSystem.size());
    if (!without->starts_with(before) || !without->ends_with(after)) return {};
    if (without->size() < before.size() + after.size()) return {};
    return without->substr(at, without->size() - before.size() - after.size());
}

}  // namespace notso::services
