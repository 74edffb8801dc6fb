// ModelFile: an installed model as its header describes it, without loading it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "ml/model/memory_plan.hpp"
#include "services/backend/chat_backend.hpp"

namespace notso::services {

struct ModelFile {
    std::filesystem::path path;
    std::uint64_t file_bytes = 0;
    std::uint64_t memory_bytes = 0;  ///< With a full context; 0: it does not run.
    /// `id` is the file's stem. What only loading can tell (thinking by tokens) is a guess by the
    /// template.
    ModelInfo info = {};
};

/// Reads the header. A file that does not run is described by its name and size alone.
/// @cost  The header is read: 10 ms with a large vocabulary.
ModelFile describe_model(const std::filesystem::path& path, const ml::MemoryRequest& request);

/// *.gguf files of a folder, by name; parts of downloads are none. A folder that is not there has
/// none.
/// @errors kIo, kPermissionDenied.
Result<std::vector<std::filesystem::path>> list_model_files(const std::filesystem::path& folder);

}  // namespace notso::services
