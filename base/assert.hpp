// NOTSO_ASSERT: a bug ends the process with its place, in every build. Input never reaches one.
#pragma once

namespace notso::detail {
[[noreturn]] void assertion_failed(const char* condition, const char* why, const char* file, int line) noexcept;
}

/// Ends the process when `condition` is false. For bugs only: bad input returns an Error instead.
#define NOTSO_ASSERT(condition, why) \
    ((condition) ? static_cast<void>(0) : ::notso::detail::assertion_failed(#condition, why, __FILE__, __LINE__))
