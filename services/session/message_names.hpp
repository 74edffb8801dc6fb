// Names of roles and states, as the database, the page and the API have them.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "services/session/session_store.hpp"

namespace notso::services {

// In the order of the enumerators.
inline constexpr std::array<std::string_view, 2> kRoleNames = {"user", "assistant"};
inline constexpr std::array<std::string_view, 6> kStateNames = {
    "complete", "running", "stopped", "interrupted", "length", "failed"};

inline constexpr std::array<std::string_view, 6> kToolUseNames = {
    "asking", "running", "done", "failed", "denied", "interrupted"};

constexpr std::string_view name_of(ToolUseState state) {
    return kToolUseNames.at(static_cast<std::size_t>(state));
}

constexpr std::string_view name_of(MessageRole role) {
    return kRoleNames.at(static_cast<std::size_t>(role));
}

constexpr std::string_view name_of(MessageState state) {
    return kStateNames.at(static_cast<std::size_t>(state));
}

/// The enumerator called `name`; the last one for a name that none has (the database's CHECK lets
/// no such name in).
template <class Enum, std::size_t kCount>
constexpr Enum value_of(std::string_view name, const std::array<std::string_view, kCount>& names) {
    return static_cast<Enum>(std::find(names.begin(), names.end() - 1, name) - names.begin());
}

}  // namespace notso::services
