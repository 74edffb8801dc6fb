// Writes HTML from the events of md4c. Everything that comes from the text is escaped; raw HTML is
// off in the parser, so it is text as well.
#include "services/template/markdown.hpp"

#include <md4c.h>

#include <algorithm>

#include "services/template/markdown_links.hpp"
#include "services/template/markdown_math.hpp"
#include "services/template/markdown_render.hpp"
#include "services/template/markdown_scan.hpp"

namespace notso::services {
namespace {

// More than any answer needs; a text that makes more (tables of many columns, long reference links
// used again and again) is shown as it is.
constexpr std::size_t kOutputPerInputByte = 24;
constexpr std::size_t kOutputAtLeast = 64 * 1024;
constexpr int kMaxDepth = 100;
constexpr int kAbort = -1;  // positive values are lost on their way through the parser

std::string_view view(const char* text, MD_SIZE size) {
    return {text, static_cast<std::size_t>(size)};
}

// Letters, digits and _+#.- of a fence's language, up to the first other character.
std::string language_of(const MD_BLOCK_CODE_DETAIL& detail) {
    constexpr std::size_t kLongest = 32;
    std::string out;
    for (const char c : view(detail.lang.text, detail.lang.size)) {
        const bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if ((!letter && std::string_view("_+#.-").find(c) == std::string_view::npos) ||
            out.size() == kLongest)
            break;
        out += c;
    }
    return out;
}

class HtmlWriter {
  public:
    HtmlWriter(std::size_t max_size,
               const std::vector<Formula>& formulas,
               const MarkdownLabels& labels)
        : max_size_(max_size), formulas_(formulas), labels_(labels) {}

    std::string take() && { return std::move(out_); }

    int enter_block(MD_BLOCKTYPE type, void* detail) {
        if (++depth_ > kMaxDepth) return kAbort;
        open_block(type, detail);
        return status();
    }

    int leave_block(MD_BLOCKTYPE type) {
        --depth_;
        while (!spans_.empty())
            close_span();  // the parser forgets links that it finds at the end of a cell
        close_block(type);
        return status();
    }

    int enter_span(MD_SPANTYPE type, void* detail) {
        if (++depth_ > kMaxDepth) return kAbort;
        spans_.push_back(type);
        switch (type) {
            case MD_SPAN_EM:
                out_ += "<em>";
                break;
            case MD_SPAN_STRONG:
                out_ += "<strong>";
                break;
            case MD_SPAN_DEL:
                out_ += "<del>";
                break;
            case MD_SPAN_CODE:
                out_ += "<code>";
                break;
            case MD_SPAN_A:
                open_link(static_cast<const MD_SPAN_A_DETAIL*>(detail)->href);
                break;
            case MD_SPAN_IMG:
                open_link(static_cast<const MD_SPAN_IMG_DETAIL*>(detail)->src);
                break;
            default:
                break;
        }
        return status();
    }

    int leave_span(MD_SPANTYPE type) {
        if (std::find(spans_.begin(), spans_.end(), type) == spans_.end()) return status();
        while (spans_.back() != type) close_span();
        close_span();
        return status();
    }

    int text(MD_TEXTTYPE type, std::string_view content) {
        switch (type) {
            case MD_TEXT_NULLCHAR:
                out_ += "\xEF\xBF\xBD";
                break;
            case MD_TEXT_BR:
                out_ += "<br>\n";
                break;
            case MD_TEXT_SOFTBR:
                out_ += '\n';
                break;
            case MD_TEXT_ENTITY:
                append_entity(out_, content);
                break;
            default:
                append_text(content, type == MD_TEXT_CODE);
        }
        return status();
    }

  private:
    // A formula is shown as it was written until the page's script draws it; in code it is code.
    void append_text(std::string_view content, bool code) {
        visit_marked(
            content,
            formulas_,
            [&](std::string_view text) { append_escaped(out_, text); },
            [&](const Formula& formula) {
                if (code) return append_escaped(out_, formula.source);
                out_ += formula.display ? "<code class=\"math display\">" : "<code class=\"math\">";
                append_escaped(out_, formula.tex);
                out_ += "</code>";
            });
    }

    std::string unmarked(std::string_view text) const {
        std::string out;
        visit_marked(
            text,
            formulas_,
            [&](std::string_view piece) { out += piece; },
            [&](const Formula& formula) { out += formula.source; });
        return out;
    }

    int status() const { return out_.size() > max_size_ ? kAbort : 0; }

    void close_span() {
        --depth_;
        const MD_SPANTYPE type = spans_.back();
        spans_.pop_back();
        switch (type) {
            case MD_SPAN_EM:
                out_ += "</em>";
                break;
            case MD_SPAN_STRONG:
                out_ += "</strong>";
                break;
            case MD_SPAN_DEL:
                out_ += "</del>";
                break;
            case MD_SPAN_CODE:
                out_ += "</code>";
                break;
            case MD_SPAN_A:
            case MD_SPAN_IMG:
                close_link();
                break;
            default:
                break;
        }
    }

    void open_block(MD_BLOCKTYPE type, void* detail) {
        switch (type) {
            case MD_BLOCK_QUOTE:
                out_ += "<blockquote>\n";
                break;
            case MD_BLOCK_UL:
                out_ += "<ul dir=\"auto\">\n";
                break;
            case MD_BLOCK_OL:
                open_ordered_list(*static_cast<const MD_BLOCK_OL_DETAIL*>(detail));
                break;
            case MD_BLOCK_LI:
                open_item(*static_cast<const MD_BLOCK_LI_DETAIL*>(detail));
                break;
            case MD_BLOCK_HR:
                out_ += "<hr>\n";
                break;
            case MD_BLOCK_H:
                out_ += "<h3 dir=\"auto\" class=\"level-" + heading_level(detail) + "\">";
                break;
            case MD_BLOCK_CODE:
                open_code(*static_cast<const MD_BLOCK_CODE_DETAIL*>(detail));
                break;
            case MD_BLOCK_P:
                out_ += "<p dir=\"auto\">";
                break;
            case MD_BLOCK_TABLE:
                out_ += "<div class=\"table\" role=\"group\" aria-label=\"" +
                        escape_html(labels_.table) + "\" tabindex=\"0\"><table>\n";
                break;
            case MD_BLOCK_THEAD:
                out_ += "<thead>\n";
                break;
            case MD_BLOCK_TBODY:
                out_ += "<tbody>\n";
                break;
            case MD_BLOCK_TR:
                out_ += "<tr>";
                break;
            case MD_BLOCK_TH:
                open_cell("<th scope=\"col\"", detail);
                break;
            case MD_BLOCK_TD:
                open_cell("<td", detail);
                break;
            default:
                break;
        }
    }

    void close_block(MD_BLOCKTYPE type) {
        constexpr std::pair<MD_BLOCKTYPE, std::string_view> kTags[] = {
            {MD_BLOCK_QUOTE, "</blockquote>\n"},
            {MD_BLOCK_UL, "</ul>\n"},
            {MD_BLOCK_OL, "</ol>\n"},
            {MD_BLOCK_LI, "</li>\n"},
            {MD_BLOCK_H, "</h3>\n"},
            {MD_BLOCK_CODE, "</code></pre></div>\n"},
            {MD_BLOCK_P, "</p>\n"},
            {MD_BLOCK_TABLE, "</table></div>\n"},
            {MD_BLOCK_THEAD, "</thead>\n"},
            {MD_BLOCK_TBODY, "</tbody>\n"},
            {MD_BLOCK_TR, "</tr>\n"},
            {MD_BLOCK_TH, "</th>"},
            {MD_BLOCK_TD, "</td>"}};
        for (const auto& [block, tag] : kTags)
            if (block == type) out_ += tag;
    }

    // The page has its own h1 and h2. All headings of an answer are h3: models skip levels as they
    // like, which would leave holes in the outline of the page. The class carries the level.
    static std::string heading_level(const void* detail) {
        return std::to_string(static_cast<const MD_BLOCK_H_DETAIL*>(detail)->level);
    }

    void open_ordered_list(const MD_BLOCK_OL_DETAIL& detail) {
        out_ += "<ol dir=\"auto\"";
        if (detail.start != 1) out_ += " start=\"" + std::to_string(detail.start) + "\"";
        out_ += ">\n";
    }

    void open_item(const MD_BLOCK_LI_DETAIL& detail) {
        if (detail.is_task == 0) {
            out_ += "<li>";
            return;
        }
        const bool open = detail.task_mark == ' ';
        out_ += "<li class=\"task\"><span role=\"img\" aria-label=\"" +
                escape_html(open ? labels_.to_do : labels_.done) +
                (open ? "\">☐</span> " : "\">☑</span> ");
    }

    void open_code(const MD_BLOCK_CODE_DETAIL& detail) {
        const std::string language = language_of(detail);
        out_ += "<div class=\"code\"><header><span>" + language +
                "</span><button class=\"quiet copy\" type=\"button\" hidden>" +
                escape_html(labels_.copy) +
                "</button></header><pre role=\"group\" tabindex=\"0\" aria-label=\"" +
                escape_html(labels_.code);
        if (!language.empty()) out_ += ", " + language;
        out_ += language.empty() ? "\"><code>" : "\"><code class=\"language-" + language + "\">";
    }

    void open_cell(std::string_view tag, const void* detail) {
        constexpr std::string_view kClasses[] = {// in the order of MD_ALIGN
                                                 ">",
                                                 " class=\"left\">",
                                                 " class=\"center\">",
                                                 " class=\"right\">"};
        out_ += tag;
        out_ += kClasses[static_cast<const MD_BLOCK_TD_DETAIL*>(detail)->align];
    }

    // Links don't nest in HTML: a picture in a link is its description only.
    void open_link(const MD_ATTRIBUTE& target) {
        std::string address;
        if (open_links_ == 0) address = safe_address(attribute_text(target));
        links_.push_back({address, 0});
        if (address.empty()) return;
        ++open_links_;
        out_ += "<a href=\"";
        append_escaped(out_, address);
        out_ += "\" rel=\"noopener noreferrer nofollow\">";
        links_.back().text_begins = out_.size();
    }

    void close_link() {
        const Link link = std::move(links_.back());
        links_.pop_back();
        if (link.address.empty()) return;
        --open_links_;
        if (out_.size() == link.text_begins) append_escaped(out_, link.address);
        out_ += "</a>";
    }

    std::string attribute_text(const MD_ATTRIBUTE& attribute) const {
        std::string out;
        for (std::size_t i = 0;
             attribute.text != nullptr && attribute.substr_offsets[i] < attribute.size;
             ++i) {
            const MD_OFFSET begin = attribute.substr_offsets[i];
            const auto part = view(attribute.text + begin, attribute.substr_offsets[i + 1] - begin);
            if (attribute.substr_types[i] == MD_TEXT_ENTITY) {
                out += decode_entity(part);
            } else if (attribute.substr_types[i] == MD_TEXT_NORMAL) {
                out += part;
            }
        }
        return unmarked(out);
    }

    struct Link {
        std::string address;  ///< Empty: shown as text only.
        std::size_t text_begins;
    };

    std::string out_;
    std::size_t max_size_;
    const std::vector<Formula>& formulas_;
    const MarkdownLabels& labels_;
    int depth_ = 0;
    int open_links_ = 0;
    std::vector<MD_SPANTYPE> spans_;
    std::vector<Link> links_;
};

HtmlWriter& writer(void* user_data) { return *static_cast<HtmlWriter*>(user_data); }

MD_PARSER make_parser() {
    MD_PARSER parser{};
    parser.flags = MD_DIALECT_GITHUB | MD_FLAG_NOHTML;
    parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* data) {
        return writer(data).enter_block(type, detail);
    };
    parser.leave_block = [](MD_BLOCKTYPE type, void*, void* data) {
        return writer(data).leave_block(type);
    };
    parser.enter_span = [](MD_SPANTYPE type, void* detail, void* data) {
        return writer(data).enter_span(type, detail);
    };
    parser.leave_span = [](MD_SPANTYPE type, void*, void* data) {
        return writer(data).leave_span(type);
    };
    parser.text = [](MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size, void* data) {
        return writer(data).text(type, view(text, size));
    };
    return parser;
}

// The text as it is, for what can't be shown as Markdown.
std::string plain_text(std::string_view text, const MarkdownLabels& labels) {
    std::string out = "<pre class=\"plain\" role=\"group\" tabindex=\"0\" aria-label=\"" +
                      escape_html(labels.text) + "\">";
    append_escaped(out, text);
    return out + "</pre>\n";
}

}  // namespace

std::string render_markdown(std::string_view text, const MarkdownLabels& labels) {
    const MarkdownCost cost = estimate_cost(text);
    if (text.size() > kMaxMarkdownBytes || !cost.markdown) return plain_text(text, labels);
    MD_PARSER parser = make_parser();
    if (!cost.autolinks) parser.flags &= ~unsigned{MD_FLAG_PERMISSIVEAUTOLINKS};
    const MarkedText marked = take_formulas(text);
    const std::string source = widen_table_rules(marked.text);
    HtmlWriter html(kOutputAtLeast + text.size() * kOutputPerInputByte, marked.formulas, labels);
    const int result = md_parse(source.data(), static_cast<MD_SIZE>(source.size()), &parser, &html);
    if (result != 0) return plain_text(text, labels);
    return std::move(html).take();
}

// Piece by piece: what stands before a cut then can't change, by construction.
std::string markdown_to_html(std::string_view text, const MarkdownLabels& labels) {
    std::string html;
    std::size_t at = 0;
    for (const std::size_t end : finished_block_ends(text)) {
        html += render_markdown(text.substr(at, end - at), labels);
        at = end;
    }
    return html + render_markdown(text.substr(at), labels);
}

}  // namespace notso::services
