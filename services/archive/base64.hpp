// Bytes as text, and back: RFC 4648, with padding.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::services {

std::string to_base64(std::string_view bytes);

/// @errors kInvalidArgument: it is none.
Result<std::string> from_base64(std::string_view text);

}  // namespace notso::services
