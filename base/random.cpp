#include "base/random.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include "base/assert.hpp"

namespace notso {

std::uint64_t random_u64() {
    std::uint64_t value = 0;
    // Up to 256 bytes are never cut short once the generator is seeded (man 2 getrandom).
    NOTSO_ASSERT(getrandom(&value, sizeof value, 0) == static_cast<ssize_t>(sizeof value), "no system randomness");
    return value;
}

std::string random_id() { return fmt::format("{:016x}{:016x}", random_u64(), random_u64()); }

}  // namespace notso
