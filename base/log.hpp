// Logging: one line per event, `key=value` fields, escaped. Secrets, prompts and answers never go in.
#pragma once

#include <spdlog/spdlog.h>

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace notso::log {

/// Sets up the logger (stderr, so that stdout stays for output). `spec` is a level (trace, debug, info, warn,
/// error, off), optionally as `notso=debug` or a comma list of such, as RUST_LOG writes it.
/// @errors kInvalidArgument names the part that is no level.
Result<> configure(std::string_view spec);

/// Quotes a field from outside: CR, LF, escape codes and quotes become visible escapes; cut at 256 bytes.
std::string field(std::string_view value);

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

}  // namespace notso::log
