// StopMatcher: ends an answer at a stop string, however the string is split over the pieces that
// arrive. Text that may still become a stop string is held back; nothing of a stop string is ever
// delivered.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace notso::services {

inline constexpr std::size_t kMaxStops = 16;
inline constexpr std::size_t kMaxStopBytes = 256;

/// Checks number and length of stop strings. @errors kInvalidArgument naming the string's index.
Result<> validate_stops(const std::vector<std::string>& stops);

/// The result does not depend on how the text was cut into pieces: of several stop strings the one
/// that is complete first wins. Pieces and stop strings are well-formed UTF-8, and so is what comes
/// out.
class StopMatcher {
  public:
    explicit StopMatcher(std::vector<std::string> stops) : stops_(std::move(stops)) {}

    /// Adds text, returns what can be delivered now. After a match: nothing more.
    std::string push(std::string_view text);
    /// The text has ended: returns what was held back.
    std::string finish();

    bool stopped() const noexcept { return stopped_; }
    /// After a match: what stood behind the stop string in the piece that completed it.
    const std::string& rest() const noexcept { return rest_; }
    /// Bytes held back at the moment.
    std::size_t held() const noexcept { return pending_.size(); }

  private:
    std::size_t held_suffix() const;

    std::vector<std::string> stops_;
    std::string pending_;
    std::string rest_;
    bool stopped_ = false;
};

}  // namespace notso::services
