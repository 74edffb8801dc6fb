// Wall-clock time as the program stores it.
#pragma once

#include <chrono>
#include <cstdint>

namespace notso {

/// Milliseconds since the Unix epoch, UTC.
using UnixMs = std::int64_t;

inline UnixMs now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// Monotonic, for durations and time-outs.
using SteadyClock = std::chrono::steady_clock;

inline double ms_between(SteadyClock::time_point from, SteadyClock::time_point to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

/// From then to now.
inline double seconds_since(SteadyClock::time_point then) {
    return std::chrono::duration<double>(SteadyClock::now() - then).count();
}

}  // namespace notso
