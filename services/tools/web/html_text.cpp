#include "services/tools/web/html_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>

#include "base/utf8.hpp"

namespace notso::services {
namespace {

bool is_in(std::string_view name, std::span<const std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
}

/// Nothing of what is in these is shown.
constexpr std::array<std::string_view, 9> kHidden = {
    "script", "style", "noscript", "template", "svg", "iframe", "object", "select", "canvas"};
/// These begin a line of their own.
constexpr std::array<std::string_view, 30> kBlocks = {
    "p",  "div", "section", "article", "header", "footer", "main", "nav", "aside", "ul",
    "ol", "li",  "dl",      "dt",      "dd",     "table",  "tr",   "h1",  "h2",    "h3",
    "h4", "h5",  "h6",      "br",      "hr",     "figure", "form", "pre", "title", "blockquote"};
constexpr std::array<std::pair<std::string_view, char32_t>, 18> kEntities = {{
    {"amp", '&'},
    {"lt", '<'},
    {"gt", '>'},
    {"quot", '"'},
    {"apos", '\''},
    {"nbsp", ' '},
    {"ndash", U'–'},
    {"mdash", U'—'},
    {"hellip", U'…'},
    {"copy", U'©'},
    {"reg", U'®'},
    {"euro", U'€'},
    {"lsquo", U'‘'},
    {"rsquo", U'’'},
    {"ldquo", U'“'},
    {"rdquo", U'”'},
    {"bull", U'•'},
    {"times", U'×'},
}};

constexpr std::size_t kLongestName = 16;

std::string lower_case(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

/// Words and lines without runs of white space.
class Lines {
  public:
    void add(std::string_view text) {
        for (const char c : text) {
            if (kWhiteSpace.contains(c) || c == '\f') {
                space_ = true;
                continue;
            }
            if (space_ && !at_line_start()) out_ += ' ';
            space_ = false;
            out_ += c;
        }
    }
    void new_line() {
        if (!at_line_start()) out_ += '\n';
        space_ = false;
    }
    void item() {
        new_line();
        out_ += "- ";
    }
    bool at_line_start() const {
        return out_.empty() || out_.ends_with('\n') || out_.ends_with("\n- ") || out_ == "- ";
    }
    std::string take() { return std::exchange(out_, {}); }

  private:
    std::string out_;
    bool space_ = false;
};

/// The character of an entity's name ("amp", "#x27"); 0: none.
char32_t entity(std::string_view name) {
    if (name.starts_with('#')) {
        name.remove_prefix(1);
        const bool hex = name.starts_with('x') || name.starts_with('X');
        if (hex) name.remove_prefix(1);
        std::uint32_t value = 0;
        const auto read =
            std::from_chars(name.data(), name.data() + name.size(), value, hex ? 16 : 10);
        const bool whole = read.ec == std::errc() && read.ptr == name.data() + name.size();
        return whole && value >= ' ' && value <= 0x10ffff ? static_cast<char32_t>(value) : 0;
    }
    const auto* found =
        std::ranges::find(kEntities, name, &std::pair<std::string_view, char32_t>::first);
    return found == kEntities.end() ? 0 : found->second;
}

std::string decoded(std::string_view text) {
    constexpr std::size_t kLongest = 10;
    std::string out;
    while (!text.empty()) {
        const auto and_sign = text.find('&');
        out += text.substr(0, and_sign);
        if (and_sign == std::string_view::npos) break;
        text.remove_prefix(and_sign);
        const auto end = text.substr(0, kLongest).find(';');
        const char32_t c = end == std::string_view::npos ? 0 : entity(text.substr(1, end - 1));
        if (c != 0)
            append_utf8(out, c);
        else
            out += '&';
        text.remove_prefix(c != 0 ? end + 1 : 1);
    }
    return out;
}

class Stripper {
  public:
    explicit Stripper(std::string_view html) : rest_(html) {}

    PageText strip() {
        while (!rest_.empty()) {
            const auto tag = rest_.find('<');
            words(rest_.substr(0, tag));
            rest_.remove_prefix(std::min(tag, rest_.size()));
            if (!rest_.empty()) read_tag();
        }
        std::string text = lines_.take();
        while (text.ends_with('\n')) text.pop_back();
        return {.title = title_.take(), .text = std::move(text)};
    }

  private:
    void words(std::string_view text) { (in_title_ ? title_ : lines_).add(decoded(text)); }

    void skip_past(std::string_view end) {
        const auto at = rest_.find(end);
        rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + end.size());
    }

    /// At a '<'.
    void read_tag() {
        if (rest_.starts_with("<!--")) return skip_past("-->");
        if (rest_.starts_with("<!") || rest_.starts_with("<?")) return skip_past(">");
        const bool closes = rest_.starts_with("</");
        std::string_view name = rest_.substr(closes ? 2 : 1);
        const auto letters = std::ranges::find_if(name, [](char c) {
            return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'));
        });
        name = name.substr(0, static_cast<std::size_t>(letters - name.begin()));
        if (name.empty()) {  // "a < b"
            words("<");
            rest_.remove_prefix(1);
            return;
        }
        const std::string lower = lower_case(name.substr(0, kLongestName));
        skip_attributes();
        enter(lower, closes);
    }

    /// Past the tag's '>', which may stand within quotes.
    void skip_attributes() {
        char quote = 0;
        std::size_t i = 1;
        for (; i < rest_.size(); ++i) {
            const char c = rest_[i];
            if (quote != 0)
                quote = c == quote ? '\0' : quote;
            else if (c == '>')
                break;
            else if ((c == '"' || c == '\'') && rest_[i - 1] == '=')
                quote = c;
        }
        rest_.remove_prefix(std::min(rest_.size(), i + 1));
    }

    void enter(const std::string& name, bool closes) {
        if (!closes && is_in(name, kHidden)) return skip_element(name);
        if (name == "title") in_title_ = !closes;
        if (name == "li" && !closes) return lines_.item();
        if (name == "td" || name == "th") return lines_.add(" ");
        if (is_in(name, kBlocks)) lines_.new_line();
    }

    /// Past the end tag; what looks like tags before it is none ("if (a<b)").
    void skip_element(std::string_view name) {
        for (;;) {
            skip_past("</");
            if (rest_.empty()) return;
            if (lower_case(rest_.substr(0, name.size())) == name) return skip_past(">");
        }
    }

    std::string_view rest_;
    Lines lines_;
    Lines title_;
    bool in_title_ = false;
};

}  // namespace

PageText html_text(std::string_view html) { return Stripper(html).strip(); }

}  // namespace notso::services
