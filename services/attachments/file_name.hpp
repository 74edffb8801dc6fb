// Names of files that people send: hostile until they went through here.
#pragma once

#include <string>
#include <string_view>

namespace notso::services {

/// The name without its path, on one line, of at most 120 characters (the ending stays): no control
/// characters, nothing that turns the direction of writing, valid UTF-8. Never empty. It is still
/// to be escaped wherever it is shown.
std::string clean_file_name(std::string_view given);

}  // namespace notso::services
