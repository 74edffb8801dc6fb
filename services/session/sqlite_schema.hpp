// The database's layout and how older layouts become the newest. Forward only.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "services/session/sqlite.hpp"

namespace notso::services {

/// Brings a database to the newest layout, one transaction per step.
/// @errors kUnsupported: written by a newer program. kCorruptData: some other program's database.
Result<> migrate(sqlite::Database& database);

/// PRAGMA user_version of the newest layout.
std::int64_t newest_schema_version();

}  // namespace notso::services
