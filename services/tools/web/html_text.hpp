// html_text: what a person would read of a page. A stripper of tags, not a browser: no scripts, no
// styles, no layout; linear time on any input.
#pragma once

#include <string>
#include <string_view>

namespace notso::services {

struct PageText {
    std::string title;
    std::string text;  ///< Lines of words, list items marked with "- ".
};

/// @param html  Well-formed UTF-8. @cost O(n).
PageText html_text(std::string_view html);

}  // namespace notso::services
