// AttemptLimit: how often somebody may try in a while, per name of whatever tries. Bounded memory,
// whatever names come.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "base/clock.hpp"

namespace notso::services {

class AttemptLimit {
  public:
    static constexpr std::size_t kMaxNames = 10'000;  ///< The one that began first is forgotten.

    /// @param most    Attempts within `window`, after which nothing is let through.
    AttemptLimit(int most, std::chrono::seconds window) : most_(most), window_(window) {}

    /// How long to wait before the next attempt; zero: now.
    std::chrono::seconds wait(const std::string& name, SteadyClock::time_point now) const;
    /// Counts an attempt when it begins, so that many at once are as many.
    void begin(const std::string& name, SteadyClock::time_point now);
    /// It was none of those that count. The others still do.
    void take_back(const std::string& name);

  private:
    struct Attempts {
        int count = 0;
        SteadyClock::time_point since;
    };

    int most_;
    std::chrono::seconds window_;
    std::map<std::string, Attempts> attempts_;
};

}  // namespace notso::services
