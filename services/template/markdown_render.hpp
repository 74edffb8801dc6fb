// The HTML of one text that is parsed as a whole; markdown_to_html puts such pieces together.
#pragma once

#include <string>
#include <string_view>

#include "services/template/markdown.hpp"

namespace notso::services {

/// HTML of the text; a text that would cost too much becomes preformatted plain text.
std::string render_markdown(std::string_view text, const MarkdownLabels& labels = {});

}  // namespace notso::services
