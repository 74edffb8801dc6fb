// Which model file to run: the one that was named, else the default one, else the largest that fits
// in memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "app/settings.hpp"
#include "base/result.hpp"
#include "ml/model/model.hpp"

namespace notso::app {

/// A *.gguf file of the models folder.
struct InstalledModel {
    std::string name;  ///< The file's stem; `-m` takes it.
    std::filesystem::path path;
    std::uint64_t size_bytes = 0;
};

/// Installed models, by name. A folder that is not there has none. @errors kIo, kPermissionDenied.
Result<std::vector<InstalledModel>> installed_models(const std::filesystem::path& models_dir);

/// Chooses the file for `settings`.
/// @param memory_bytes  What a model may take.
/// @errors kNotFound with where it looked and how to get a model; kOutOfMemory with the numbers.
Result<std::filesystem::path> choose_model(const Settings& settings, std::uint64_t memory_bytes);

/// The same with the memory that this machine has available now.
Result<std::filesystem::path> choose_model(const Settings& settings);

/// How to load it: threads, tokenizer, context and type of the cache.
ml::LoadOptions load_options(const Settings& settings);

}  // namespace notso::app
