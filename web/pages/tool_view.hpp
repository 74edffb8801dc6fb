// Calls of tools within an answer, as the templates see them.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "services/session/session_store.hpp"
#include "web/language/language.hpp"

namespace notso::web {

/// Where the text that is still being written begins: behind the last call.
std::size_t tail_begin(std::string_view text, const std::vector<services::ToolUse>& uses);
inline std::size_t tail_begin(const services::Message& message) {
    return tail_begin(message.text, message.tool_uses);
}

/// Variables `m.steps` of partials/steps.html: what was written before calls, and the calls.
boost::json::array steps_view(const Language& language, const services::Message& message);

/// Variable `t` of partials/tool_use.html.
boost::json::object tool_view(const Language& language,
                              const services::ToolUse& use,
                              std::string_view message);

/// A tool's name as words.
std::string spaced(std::string name);

}  // namespace notso::web
