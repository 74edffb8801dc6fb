// Random ids and seeds from the system's generator.
#pragma once

#include <cstdint>
#include <string>

namespace notso {

/// 64 random bits from getrandom(2).
std::uint64_t random_u64();

/// 128 random bits as 32 lowercase hex digits: ids that can't be guessed.
std::string random_id();

}  // namespace notso
