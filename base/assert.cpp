#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace notso::detail {

void assertion_failed(const char* condition, const char* why, const char* file, int line) noexcept {
    std::fprintf(stderr, "notso: bug at %s:%d: %s (%s)\n", file, line, why, condition);
    std::fflush(stderr);
    std::abort();
}

}  // namespace notso::detail
