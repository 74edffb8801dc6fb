// Implementation of the stop strings. See stop_matcher.hpp.
#include "services/backend/stop_matcher.hpp"

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"

namespace notso::services {

Result<> validate_stops(const std::vector<std::string>& stops) {
    if (stops.size() > kMaxStops) {
        return fail(ErrorCode::kInvalidArgument,
                    "stop: {} strings, at most {} are allowed",
                    stops.size(),
                    kMaxStops);
    }
    for (std::size_t i = 0; i < stops.size(); ++i) {
        if (stops[i].empty() || stops[i].size() > kMaxStopBytes) {
            return fail(ErrorCode::kInvalidArgument,
                        "stop[{}]: {} bytes, must be 1 to {}",
                        i,
                        stops[i].size(),
                        kMaxStopBytes);
        }
        if (!is_valid_utf8(stops[i])) {
            return fail(ErrorCode::kInvalidArgument, "stop[{}]: is not UTF-8", i);
        }
    }
    return {};
}

std::string StopMatcher::push(std::string_view text) {
    if (stopped_) return {};
    pending_ += text;
    // The match that ends first wins, so that one big piece and many small ones give the same text.
    std::size_t best_begin = std::string::npos;
    std::size_t best_end = std::string::npos;
    for (const std::string& stop : stops_) {
        const std::size_t begin = pending_.find(stop);
        if (begin == std::string::npos) continue;
        const std::size_t end = begin + stop.size();
        if (end < best_end || (end == best_end && begin < best_begin)) {
            best_begin = begin;
            best_end = end;
        }
    }
    stopped_ = best_begin != std::string::npos;
    const std::size_t deliver = stopped_ ? best_begin : pending_.size() - held_suffix();
    std::string out = pending_.substr(0, deliver);
    if (stopped_) rest_ = pending_.substr(best_end);
    pending_.erase(0, stopped_ ? pending_.size() : deliver);
    return out;
}

std::string StopMatcher::finish() { return std::exchange(pending_, {}); }

/// Bytes at the end of the pending text that are the beginning of some stop string.
std::size_t StopMatcher::held_suffix() const {
    std::size_t longest = 0;
    for (const std::string& stop : stops_) {
        const std::string_view all = pending_;
        for (std::size_t n = std::min(stop.size() - 1, all.size()); n > longest; --n) {
            if (all.ends_with(std::string_view(stop).substr(0, n))) longest = n;
        }
    }
    return longest;
}

}  // namespace notso::services
