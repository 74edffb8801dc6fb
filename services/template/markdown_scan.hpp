// Looking at Markdown line by line, without parsing it: what the renderer and the block scanner
// share.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace notso::services {

/// Spaces at the start of a line.
std::size_t indentation(std::string_view line);
/// Only spaces and tabs.
bool is_blank(std::string_view line);

/// A run of three or more backticks or tildes that opens or closes a code block.
struct Fence {
    char mark = '\0';  ///< '\0': the line is no fence.
    std::size_t length = 0;
    std::string_view info = {};

    bool is_open() const { return mark != '\0'; }
};
/// @param trimmed  The line without its indentation.
Fence fence_of(std::string_view trimmed);
/// Whether the line closes the code block that `open` began.
bool closes_fence(std::string_view line, const Fence& open);

/// What parsing a text would cost, where the parser's time grows faster than the text.
struct MarkdownCost {
    bool autolinks = true;  ///< Bare addresses can be looked for.
    bool markdown = true;   ///< The text can be parsed at all.
};
/// @cost O(n).
MarkdownCost estimate_cost(std::string_view text);

/// The text with the rules of its tables ("|-|-|") made as long as the parser wants them
/// ("|---|---|").
std::string widen_table_rules(std::string_view text);

}  // namespace notso::services
