// Placeholder that is replaced by the real renderer in the next step: escaped text in one
// paragraph.
#include "services/template/markdown.hpp"

#include "services/template/jinja/text.hpp"

namespace notso::services {

std::string escape_html(std::string_view text) {
    jinja::TextBuilder out(text.size() * 6 + 1);
    jinja::write_escaped(out, text);
    return std::move(out).finish().value_or(std::string());
}

std::string markdown_to_html(std::string_view text) { return "<p>" + escape_html(text) + "</p>\n"; }

std::vector<std::size_t> finished_block_ends(std::string_view) { return {}; }

}  // namespace notso::services
