// Passwords: hashed with Argon2id (libsodium), compared without telling anything by the time taken.
// Slow on purpose, and each call takes 64 MiB: one at a time, never on the io thread.
#pragma once

#include <string>

#include "base/result.hpp"

namespace notso::services {

/// @errors kInvalidArgument: fewer than 8 or more than 1,024 bytes.
Result<> check_password(const std::string& password);

/// A text that has algorithm, costs, salt and hash in it.
/// @errors kInvalidArgument as check_password(); kOutOfMemory.
Result<std::string> hash_password(const std::string& password);

/// Whether that password gave that hash. Where nobody has the name that was given, ask with an
/// empty hash: the answer is false, after the same time.
bool verify_password(const std::string& hash, const std::string& password);

}  // namespace notso::services
