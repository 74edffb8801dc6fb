// Which tools a request offers to the model, whatever the name under which its template reads them.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "services/backend/chat_backend.hpp"

namespace notso::services {

/// A tool that the model may call.
struct OfferedTool {
    std::string name;
    boost::json::object parameters = {};  ///< JSON schema of the arguments; empty = any object.
    std::vector<std::string> parameter_names = {};  ///< In their order, for calls without names.
    bool by_code = false;                           ///< Called by Python code instead of JSON.
};

/// The request's `tools`, and the lists that a caller passes to the template by itself
/// (chat_template_kwargs: xml_tools, python_tools). Entries without a name are left out.
/// @param tools_are_code  The template takes tools as python_tools only.
std::vector<OfferedTool> offered_tools(const ChatRequest& request, bool tools_are_code);

}  // namespace notso::services
