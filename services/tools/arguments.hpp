// The arguments of a tool call: read from the text that a model wrote and checked against the
// tool's JSON schema. What is wrong is said so that a model can do better. Not a whole JSON Schema
// validator: keywords that it does not know (those of a server's tools) are left to the tool.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

/// Reads the JSON text of an object; empty text means {}.
/// @errors kTooLarge, kInvalidArgument.
Result<boost::json::object> read_arguments(std::string_view text,
                                           std::size_t max_bytes,
                                           std::size_t max_depth);

/// Checks type, required, properties, additionalProperties: false, enum, minimum, maximum,
/// minLength, maxLength (in code points), items, minItems and maxItems, at every depth. A whole
/// number written as 3.0 becomes 3 where an integer is wanted.
/// @errors kInvalidArgument naming the argument, what it is and what is wanted.
Result<> check_arguments(boost::json::object& arguments, const boost::json::object& schema);

}  // namespace notso::services
