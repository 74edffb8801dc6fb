// The keywords of JSON Schema: which are done, which are only about people, and which are refused.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "services/schema/schema_parts.hpp"

namespace notso::services {

/// @errors kInvalidArgument naming the first keyword that a grammar can't say. Unknown ones say
/// nothing, as the standard wants.
Result<> check_keywords(const SchemaPart& part);

/// The types that a schema without "type" is about: those of its first telling keyword; 0 = none.
std::uint8_t types_meant(const SchemaPart& part);

/// A keyword that also restricts values of this kind and can't be combined with listed ones; or
/// empty.
std::string_view keyword_beside_enum(const boost::json::object& schema, boost::json::kind kind);

}  // namespace notso::services
