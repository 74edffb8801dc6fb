// Putting a backup in the place of the database, when no server runs.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace notso::services {

/// Checks a backup (a database of this program, whole, of a layout that is known), copies it into
/// the data directory and keeps the old database beside it. Nothing changes unless all of it works.
/// @return Where the old database is now; empty when there was none.
/// @errors kBusy: a server runs; kNotFound, kCorruptData, kUnsupported (a newer layout), kIo.
Result<std::filesystem::path> restore_backup(const std::filesystem::path& backup,
                                             const std::filesystem::path& data_directory);

}  // namespace notso::services
