// The form that calls of tools are held to: one JSON object with the name of a tool and arguments
// that satisfy its schema.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "services/prompt/offered_tools.hpp"
#include "services/schema/answer_form.hpp"

namespace notso::services {

/// The schema of a call of one of the tools that are called by JSON.
/// @param arguments_key  "arguments", or "parameters" as Llama says.
boost::json::object call_schema(const std::vector<OfferedTool>& tools,
                                std::string_view arguments_key);

/// @param only  The one tool that may be called; empty = any. Where all schemas together are too
/// large, only the names are held to.
/// @errors kInvalidArgument naming the tool, the keyword and where it stands.
Result<AnswerForm> call_form(std::vector<OfferedTool> tools,
                             const std::string& only,
                             std::string_view arguments_key);

}  // namespace notso::services
