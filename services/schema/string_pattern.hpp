// Regular expressions of JSON Schema's "pattern", as far as a grammar can say them, and the texts
// of "format", written as GBNF for what stands between a JSON string's quotes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

inline constexpr std::int64_t kUnboundedLength = -1;

struct StringGrammar {
    std::string gbnf;
    std::int64_t min_length = 0;  ///< Characters.
    std::int64_t max_length = kUnboundedLength;
};

/// @errors kInvalidArgument says what is not supported: references back, looks around, anchors
/// inside.
Result<StringGrammar> pattern_grammar(std::string_view pattern);

/// Absent for a format that is not known.
std::optional<StringGrammar> format_grammar(std::string_view format);

}  // namespace notso::services
