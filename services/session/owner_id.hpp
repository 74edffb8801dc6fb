// OwnerId: whose conversations, notes and permissions something is about. A type of its own, so
// that a call that forgets it does not compile.
#pragma once

#include <compare>
#include <string>

namespace notso::services {

/// The person at this machine, a browser's space or an account. Empty = nobody, who owns nothing.
struct OwnerId {
    std::string value;
    auto operator<=>(const OwnerId&) const = default;
};

/// Who owns what is made without accounts and spaces, and what was there before they existed.
inline OwnerId local_owner() { return {"local"}; }

}  // namespace notso::services
