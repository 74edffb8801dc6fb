#include "web/pages/tool_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "services/session/message_names.hpp"
#include "web/pages/message_view.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
using services::ToolUse;
using services::ToolUseState;

std::string label_of(const Language& language, const ToolUse& use) {
    const std::string name = spaced(use.name);
    switch (use.state) {
        case ToolUseState::kAsking:
            return language.fill("Wants to use {}", name);
        case ToolUseState::kRunning:
            return language.fill("Using {}…", name);
        case ToolUseState::kDone:
            return language.fill("Used {}", name);
        case ToolUseState::kFailed:
            return language.fill("{}: no result", name);
        case ToolUseState::kDenied:
            return language.fill("{} was not allowed", name);
        case ToolUseState::kInterrupted:
            return language.fill("{} was interrupted", name);
    }
    return name;
}

}  // namespace

std::string spaced(std::string name) {
    std::ranges::replace(name, '_', ' ');
    return name;
}

std::size_t tail_begin(std::string_view text, const std::vector<ToolUse>& uses) {
    return uses.empty() ? 0 : uses.back().begin_in(text);
}

json::object tool_view(const Language& language, const ToolUse& use, std::string_view message) {
    return {{"id", fmt::format("tool-{}-{}", message, use.id)},
            {"use", use.id},
            {"name", spaced(use.name)},
            {"label", label_of(language, use)},
            {"state", services::name_of(use.state)},
            {"arguments", use.arguments},
            {"output", use.output},
            {"sends_to", use.sends_to},
            {"asks", use.state == ToolUseState::kAsking}};
}

json::array steps_view(const Language& language, const services::Message& message) {
    json::array steps;
    std::size_t written = 0;
    for (const ToolUse& use : message.tool_uses) {
        const std::size_t until = std::max(written, use.begin_in(message.text));
        const std::string_view before =
            std::string_view(message.text).substr(written, until - written);
        steps.push_back(json::object{{"html", prose_html(language, before)},
                                     {"tool", tool_view(language, use, message.id.value)}});
        written = until;
    }
    return steps;
}

}  // namespace notso::web
