// What the built-in tools have in common: an info that is written down once, and a plain function
// that does the work.
#pragma once

#include <string_view>

#include "services/tools/tool_box.hpp"

namespace notso::services {

/// Does the work of a tool. @errors as Tool::run.
using ToolBody = std::function<Result<std::string>(const boost::json::object& arguments,
                                                   const ToolContext& context)>;

/// @param schema  JSON text of the arguments' properties and "required", written by us; closed
///                (additionalProperties: false) here.
ToolPtr make_built_in(ToolInfo info, std::string_view schema, ToolBody body);

/// An optional string argument; `otherwise` where it is absent.
std::string text_argument(const boost::json::object& arguments,
                          std::string_view name,
                          std::string_view otherwise = {});
/// An optional whole number.
std::int64_t whole_argument(const boost::json::object& arguments,
                            std::string_view name,
                            std::int64_t otherwise);

}  // namespace notso::services
