// HTML of CommonMark texts by the parser that the page uses (md4c), with nothing of the page's own:
// no extensions, no policy. For check.py: texts come in, and HTML goes out, each followed by a NUL.
// Character references stay as they are written; the comparison decodes them.
#include <md4c.h>

#include <algorithm>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

std::string_view view(const char* text, MD_SIZE size) {
    return {text, static_cast<std::size_t>(size)};
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '&') {
            out += "&amp;";
        } else if (c == '<') {
            out += "&lt;";
        } else if (c == '>') {
            out += "&gt;";
        } else if (c == '"') {
            out += "&quot;";
        } else {
            out += c;
        }
    }
    return out;
}

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

std::string attribute(const MD_ATTRIBUTE& value) {
    std::string out;
    for (std::size_t i = 0; value.text != nullptr && value.substr_offsets[i] < value.size; ++i) {
        const MD_OFFSET begin = value.substr_offsets[i];
        const auto part = view(value.text + begin, value.substr_offsets[i + 1] - begin);
        const MD_TEXTTYPE type = value.substr_types[i];
        if (type == MD_TEXT_NULLCHAR) {
            out += kReplacement;
        } else {
            out += type == MD_TEXT_ENTITY ? std::string(part) : escaped(part);
        }
    }
    return out;
}

class Emitter {
  public:
    std::string html;

    void block(MD_BLOCKTYPE type, void* detail, bool opens) {
        const std::string_view name = block_name(type, detail);
        if (type == MD_BLOCK_CODE) {
            html +=
                opens ? open_code(*static_cast<MD_BLOCK_CODE_DETAIL*>(detail)) : "</code></pre>\n";
        } else if (type == MD_BLOCK_HR) {
            if (opens) html += "<hr />\n";
        } else if (type == MD_BLOCK_OL && opens) {
            const unsigned start = static_cast<MD_BLOCK_OL_DETAIL*>(detail)->start;
            html += start == 1 ? "<ol>\n" : "<ol start=\"" + std::to_string(start) + "\">\n";
        } else if (!name.empty()) {
            html += opens ? "<" : "</";
            html += name;
            // A line end behind an opening tag would be part of what <pre> shows.
            const bool holds_text = type == MD_BLOCK_P || type == MD_BLOCK_H || type == MD_BLOCK_LI;
            html += opens && holds_text ? ">" : ">\n";
        }
    }

    void span(MD_SPANTYPE type, void* detail, bool opens) {
        if (type == MD_SPAN_IMG) return picture(*static_cast<MD_SPAN_IMG_DETAIL*>(detail), opens);
        if (pictures_ > 0) return;
        if (type == MD_SPAN_A && opens) {
            const auto& link = *static_cast<MD_SPAN_A_DETAIL*>(detail);
            html += "<a href=\"" + attribute(link.href) + "\"" + title(link.title) + ">";
            return;
        }
        const std::string_view name = type == MD_SPAN_EM       ? "em"
                                      : type == MD_SPAN_STRONG ? "strong"
                                      : type == MD_SPAN_CODE   ? "code"
                                                               : "a";
        html += opens ? "<" : "</";
        html += name;
        html += ">";
    }

    void text(MD_TEXTTYPE type, std::string_view content) {
        if (type == MD_TEXT_NULLCHAR) {
            html += kReplacement;
        } else if (type == MD_TEXT_BR) {
            html += pictures_ > 0 ? " " : "<br />\n";
        } else if (type == MD_TEXT_SOFTBR) {
            html += pictures_ > 0 ? " " : "\n";
        } else if (type == MD_TEXT_HTML || type == MD_TEXT_ENTITY) {
            html += content;
        } else {
            html += escaped(content);
        }
    }

  private:
    static std::string_view block_name(MD_BLOCKTYPE type, void* detail) {
        constexpr std::string_view kHeadings[] = {"h1", "h2", "h3", "h4", "h5", "h6"};
        switch (type) {
            case MD_BLOCK_QUOTE:
                return "blockquote";
            case MD_BLOCK_UL:
                return "ul";
            case MD_BLOCK_OL:
                return "ol";
            case MD_BLOCK_LI:
                return "li";
            case MD_BLOCK_P:
                return "p";
            case MD_BLOCK_H:
                return kHeadings[static_cast<MD_BLOCK_H_DETAIL*>(detail)->level - 1];
            default:
                return {};
        }
    }

    static std::string open_code(const MD_BLOCK_CODE_DETAIL& detail) {
        const std::string language = attribute(detail.lang);
        return language.empty() ? "<pre><code>" : "<pre><code class=\"language-" + language + "\">";
    }

    static std::string title(const MD_ATTRIBUTE& value) {
        return value.text == nullptr ? "" : " title=\"" + attribute(value) + "\"";
    }

    // A picture's description is an attribute: what is in it is told without its markup.
    void picture(const MD_SPAN_IMG_DETAIL& detail, bool opens) {
        if (opens && pictures_++ == 0) html += "<img src=\"" + attribute(detail.src) + "\" alt=\"";
        if (!opens && --pictures_ == 0) html += "\"" + title(detail.title) + " />";
    }

    int pictures_ = 0;
};

Emitter& emitter(void* data) { return *static_cast<Emitter*>(data); }

std::string to_html(std::string_view text) {
    MD_PARSER parser{};
    parser.flags = MD_DIALECT_COMMONMARK;
    parser.enter_block = [](MD_BLOCKTYPE type, void* detail, void* data) {
        emitter(data).block(type, detail, true);
        return 0;
    };
    parser.leave_block = [](MD_BLOCKTYPE type, void* detail, void* data) {
        emitter(data).block(type, detail, false);
        return 0;
    };
    parser.enter_span = [](MD_SPANTYPE type, void* detail, void* data) {
        emitter(data).span(type, detail, true);
        return 0;
    };
    parser.leave_span = [](MD_SPANTYPE type, void* detail, void* data) {
        emitter(data).span(type, detail, false);
        return 0;
    };
    parser.text = [](MD_TEXTTYPE type, const MD_CHAR* text, MD_SIZE size, void* data) {
        emitter(data).text(type, view(text, size));
        return 0;
    };
    Emitter out;
    const int failed = md_parse(text.data(), static_cast<MD_SIZE>(text.size()), &parser, &out);
    return failed != 0 ? "the parser failed" : out.html;
}

}  // namespace

int main() {
    std::ios::sync_with_stdio(false);
    for (std::string text; std::getline(std::cin, text, '\0');) std::cout << to_html(text) << '\0';
}
