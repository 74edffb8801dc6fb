// Reading whole input files for commands, with errors that name them.
#pragma once

#include <string>

#include "base/result.hpp"

namespace notso::app {

/// All bytes of a file; "-" is stdin. @errors kNotFound, kIo, kTooLarge over `max_bytes`; each
/// names the path.
Result<std::string> read_input(const std::string& path, std::size_t max_bytes = 256ULL << 20);

}  // namespace notso::app
