// The tags around thoughts, and the flags /think and /no_think, which some templates read from the system text.
#pragma once

#include <string>
#include <string_view>

namespace notso::services {

inline constexpr std::string_view kThinkTag = "<think>";
inline constexpr std::string_view kThinkEndTag = "</think>";

/// Removes the flags where they stand as words of their own, each with one following space; what
/// only contains such letters (paths, longer words) stays.
std::string strip_thinking_flags(std::string_view text);

/// Puts `marker` behind the slash of every remaining "/think" and "/no_think", also inside longer
/// words, so that a template which searches for the bare letters does not find them.
std::string hide_thinking_flags(std::string_view text, std::string_view marker);

}  // namespace notso::services
