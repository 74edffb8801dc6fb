#include "services/accounts/attempt_limit.hpp"

#include <algorithm>

namespace notso::services {

std::chrono::seconds AttemptLimit::wait(const std::string& name,
                                        SteadyClock::time_point now) const {
    const auto found = attempts_.find(name);
    if (found == attempts_.end() || found->second.count < most_) return {};
    const auto end = found->second.since + window_;
    if (now >= end) return {};
    return std::chrono::ceil<std::chrono::seconds>(end - now);
}

void AttemptLimit::begin(const std::string& name, SteadyClock::time_point now) {
    if (attempts_.size() >= kMaxNames && !attempts_.contains(name)) {
        attempts_.erase(std::ranges::min_element(
            attempts_, {}, [](const auto& entry) { return entry.second.since; }));
    }
    Attempts& attempts = attempts_[name];
    if (attempts.count == 0 || now - attempts.since >= window_) attempts = {0, now};
    ++attempts.count;
}

void AttemptLimit::take_back(const std::string& name) {
    const auto found = attempts_.find(name);
    if (found == attempts_.end()) return;
    if (--found->second.count <= 0) attempts_.erase(found);
}

}  // namespace notso::services
