// See markdown_scan.hpp.
#include "services/template/markdown_scan.hpp"

#include <algorithm>

namespace notso::services {
namespace {

std::string_view take_line(std::string_view& rest) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
}

// Dashes, colons, pipes and white space, with a pipe and a dash among them.
bool is_table_rule(std::string_view line) {
    return line.find_first_not_of("-:| \t\r") == std::string_view::npos &&
           line.find('|') != std::string_view::npos && line.find('-') != std::string_view::npos;
}

void append_widened(std::string& out, std::string_view rule) {
    for (std::size_t at = 0; at < rule.size();) {
        const std::size_t dashes = std::min(rule.find_first_not_of('-', at), rule.size()) - at;
        if (dashes == 0) {
            out += rule[at++];
            continue;
        }
        out.append(std::max<std::size_t>(dashes, 3), '-');
        at += dashes;
    }
}

/// Counts what makes one paragraph slow.
class ParagraphCost {
  public:
    void add(std::string_view line) {
        ++lines_;
        brackets_ += static_cast<std::size_t>(std::count(line.begin(), line.end(), '['));
        std::size_t word_end = line.size();
        for (std::size_t at = line.size(); at-- > 0;) {
            if (line[at] == ' ' || line[at] == '\t') word_end = at;
            const std::string_view rest = line.substr(at, 4);
            if (!rest.starts_with("://") && rest != "www.") continue;
            ++addresses_;
            address_bytes_ += word_end - at;
        }
    }
    bool too_many_brackets() const { return brackets_ * lines_ > kMaxBracketLines; }
    bool too_many_addresses() const {
        return addresses_ > kMaxAddresses || address_bytes_ > kMaxAddressBytes;
    }

  private:
    static constexpr std::size_t kMaxBracketLines = 50'000'000;
    static constexpr std::size_t kMaxAddresses = 2000;
    static constexpr std::size_t kMaxAddressBytes = 4'000'000;

    std::size_t lines_ = 0;
    std::size_t brackets_ = 0;
    std::size_t addresses_ = 0;
    std::size_t address_bytes_ = 0;
};

}  // namespace

std::size_t indentation(std::string_view line) {
    const std::size_t at = line.find_first_not_of(' ');
    return at == std::string_view::npos ? line.size() : at;
}

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t") == std::string_view::npos;
}

Fence fence_of(std::string_view trimmed) {
    if (trimmed.empty() || (trimmed[0] != '`' && trimmed[0] != '~')) return {};
    const std::size_t length = std::min(trimmed.find_first_not_of(trimmed[0]), trimmed.size());
    if (length < 3) return {};
    const std::string_view info = trimmed.substr(length);
    if (trimmed[0] == '`' && info.find('`') != std::string_view::npos) return {};
    return {trimmed[0], length, info};
}

bool closes_fence(std::string_view line, const Fence& open) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t indent = indentation(line);
    const Fence fence = fence_of(line.substr(indent));
    return indent <= 3 && fence.mark == open.mark && fence.length >= open.length &&
           is_blank(fence.info);
}

MarkdownCost estimate_cost(std::string_view text) {
    MarkdownCost cost;
    ParagraphCost paragraph;
    std::string_view rest = text;
    while (!rest.empty() && cost.markdown) {
        const std::string_view line = take_line(rest);
        if (is_blank(line)) {
            paragraph = {};
            continue;
        }
        paragraph.add(line);
        cost.autolinks = cost.autolinks && !paragraph.too_many_addresses();
        cost.markdown = !paragraph.too_many_brackets();
    }
    return cost;
}

// A line without indentation is no code unless a fenced block is open. Where that can't be told,
// nothing changes.
std::string widen_table_rules(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 64);
    Fence open;
    std::size_t open_indent = 0;
    std::string_view previous;
    std::string_view rest = text;
    while (!rest.empty()) {
        const std::string_view line_and_rest = rest;
        const std::string_view line = take_line(rest);
        const std::size_t indent = indentation(line);
        const bool was_open = open.is_open();
        if (was_open && closes_fence(line.substr(std::min(indent, open_indent)), open)) {
            open = {};
        } else if (was_open && open_indent != 0 && indent == 0 && !is_blank(line)) {
            return out.append(line_and_rest);
        } else if (!was_open) {
            open = fence_of(line.substr(indent));
            open_indent = indent;
        }
        const bool under_row = previous.find('|') != std::string_view::npos;
        if (!was_open && under_row && indent == 0 && is_table_rule(line)) {
            append_widened(out, line);
        } else {
            out += line;
        }
        if (line_and_rest.size() - rest.size() > line.size()) out += '\n';
        previous = line;
    }
    return out;
}

}  // namespace notso::services
