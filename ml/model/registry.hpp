// The architectures that run: one line each in registry.cpp.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "ml/model/architecture.hpp"

namespace notso::ml {

/// @param name  general.architecture of a file. @errors kUnsupported, with the names of those that
/// run.
Result<const Architecture*> find_architecture(std::string_view name);

/// The names of those that run, for messages: "llama, smollm3, …".
std::string architecture_names();

}  // namespace notso::ml
