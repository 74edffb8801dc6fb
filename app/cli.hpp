// The command line: which commands there are, which settings each takes, and how failures leave the
// program.
#pragma once

#include "base/result.hpp"

namespace notso::app {

/// Exit codes of every command (stable).
enum ExitCode : int { kExitOk = 0, kExitFailed = 1, kExitUsage = 2, kExitInterrupted = 130 };

/// Parses the arguments, resolves the settings and runs one command. Failures print one line,
/// "notso: …", on stderr. @return the process's exit code.
int run_cli(int argc, const char* const* argv);

/// Prints "notso: <detail>" as exactly one line on stderr.
void print_error(std::string_view detail);

/// Reports a wrong use of the command line. @return kExitUsage.
int usage_error(std::string_view detail);

}  // namespace notso::app
