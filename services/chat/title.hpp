// Titles of conversations, made from what the person wrote first.
#pragma once

#include <string>
#include <string_view>

namespace notso::services {

/// First line of `text` with single spaces, at most 60 code points; a longer one is cut at a word
/// and ends in "…". Control characters become spaces. "New chat" when nothing is left.
/// @param text  Well-formed UTF-8.
std::string make_title(std::string_view text);

/// `text` as one line: control characters and runs of blanks become one space, none at the ends.
std::string single_line(std::string_view text);

}  // namespace notso::services
