// Default folders. Flags, environment and notso.toml override them.
#pragma once

#include <filesystem>

#include "app/settings.hpp"

namespace notso::app {

/// Folder of installed models: ./models, else models/ of the source tree this program was built
/// from, else notso/models under the user's data folder.
std::filesystem::path default_models_dir(const Environment& environment);

/// Folder of conversations: notso under $XDG_DATA_HOME, else ~/.local/share/notso.
std::filesystem::path default_data_dir(const Environment& environment);

}  // namespace notso::app
