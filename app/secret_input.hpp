// Reading a password: from a terminal without showing it, or from a pipe.
#pragma once

#include <string>

#include "base/result.hpp"

namespace notso::app {

/// One line of stdin. At a terminal `prompt` is shown, and what is typed is not.
/// @errors kInvalidArgument: there is no line.
Result<std::string> read_secret(const std::string& prompt);

}  // namespace notso::app
