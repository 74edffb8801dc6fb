// Markdown to HTML for model output. The input is hostile: raw HTML is shown as text, links are
// only http, https and mailto, images never load anything.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace notso::services {

/// Longer texts are shown as they are, without Markdown.
inline constexpr std::size_t kMaxMarkdownBytes = 4 * 1024 * 1024;

/// What the HTML itself says, in the language of whoever reads it.
struct MarkdownLabels {
    std::string_view copy = "Copy";
    std::string_view code = "Code";
    std::string_view table = "Table";
    std::string_view text = "Text";
    std::string_view to_do = "To do";
    std::string_view done = "Done";
};

/// HTML of GitHub-flavoured Markdown (tables, strikethrough, task lists, autolinks). Code blocks
/// become
/// `<div class="code"><header><span>lang</span>…</header><pre tabindex="0"><code
/// class="language-lang">`, formulas `<code class="math">` with their source. Paragraphs, headings
/// and lists say dir="auto". Links get rel="noopener noreferrer nofollow"; images become a link
/// with their alt text. Well-formed for any input.
std::string markdown_to_html(std::string_view text, const MarkdownLabels& labels = {});

/// Byte offsets at which top-level blocks end, so that a streamed answer re-renders only its
/// growing tail: text before the last offset will not change its rendering when more text is
/// appended. Ascending; may be empty.
std::vector<std::size_t> finished_block_ends(std::string_view text);

/// Escapes & < > " ' for text and attribute values.
std::string escape_html(std::string_view text);

}  // namespace notso::services
