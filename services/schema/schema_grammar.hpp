// JSON Schema (draft 2020-12, as far as structured outputs need it) to a grammar of JSON texts.
// Every text of the grammar satisfies the schema; some that would, such as other orders of members,
// are not in it. What a grammar can't say is refused, never left out silently.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "base/result.hpp"

namespace notso::services {

/// Limits of a schema, checked before anything else.
inline constexpr std::size_t kMaxSchemaBytes = 64 * 1024;
inline constexpr int kMaxSchemaDepth = 64;

/// GBNF with a rule `root`.
/// @errors kInvalidArgument naming the keyword and where it stands (a JSON pointer).
Result<std::string> schema_to_gbnf(const boost::json::value& schema);

/// GBNF of any JSON object.
std::string any_object_gbnf();

}  // namespace notso::services
