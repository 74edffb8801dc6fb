// Finds where a Markdown text may be cut: at the start of a line such that nothing that follows can
// change what stands before it. It knows less than the parser on purpose: in doubt there is no cut.
#include <algorithm>

#include "services/template/markdown.hpp"
#include "services/template/markdown_scan.hpp"

namespace notso::services {
namespace {

// Width of "- ", "12. " and what follows up to the content; 0 when the line begins no list item.
std::size_t item_width(std::string_view trimmed) {
    std::size_t marker = 0;
    if (!trimmed.empty() && std::string_view("-+*").find(trimmed[0]) != std::string_view::npos) {
        marker = 1;
    } else {
        while (marker < trimmed.size() && trimmed[marker] >= '0' && trimmed[marker] <= '9')
            ++marker;
        if (marker == 0 || marker > 9 || marker == trimmed.size()) return 0;
        if (trimmed[marker] != '.' && trimmed[marker] != ')') return 0;
        ++marker;
    }
    const std::string_view rest = trimmed.substr(marker);
    if (rest.empty()) return marker + 1;
    if (rest[0] == '\t') return marker + 1;
    const std::size_t spaces = indentation(rest);
    if (spaces == 0) return 0;
    return spaces > 4 || spaces == rest.size() ? marker + 1 : marker + spaces;
}

bool may_become_item(char first) {
    return (first >= '0' && first <= '9') ||
           std::string_view("-+*").find(first) != std::string_view::npos;
}

// Whether all brackets of a line are plain inline links, which no reference definition can change.
bool only_inline_links(std::string_view line) {
    constexpr std::string_view kNotInText = "[]`\\<>";
    constexpr std::string_view kNotInAddress = " \t()<>`\\[]";
    std::size_t at = 0;
    while ((at = line.find_first_of("[]", at)) != std::string_view::npos) {
        if (line[at] == ']') return false;
        const std::size_t close = line.find_first_of(kNotInText, at + 1);
        if (close == std::string_view::npos || line[close] != ']') return false;
        if (close + 2 >= line.size() || line[close + 1] != '(') return false;
        const std::size_t end = line.find_first_of(kNotInAddress, close + 2);
        if (end == std::string_view::npos || line[end] != ')') return false;
        at = end + 1;
    }
    return true;
}

class BlockScanner {
  public:
    std::vector<std::size_t> run(std::string_view text) {
        std::size_t at = 0;
        while (at < text.size() && !stopped_) {
            const std::size_t end = text.find('\n', at);
            const bool complete = end != std::string_view::npos;
            const std::string_view line =
                text.substr(at, complete ? end - at : std::string_view::npos);
            scan(line, at, complete);
            if (!complete) break;
            at = end + 1;
        }
        return std::move(ends_);
    }

  private:
    void scan(std::string_view line, std::size_t at, bool complete) {
        const bool has_return =
            line.find('\r') != std::string_view::npos;  // may end a line as well
        const std::size_t indent = indentation(line);
        const std::string_view trimmed = line.substr(indent);
        if (fence_.is_open() || line.starts_with('\r')) {
            stopped_ = has_return;
            if (complete && closes_fence(line, fence_)) fence_ = {};
            return;
        }
        if (is_blank(line)) {
            after_blank_ = complete;
            pipes_ = false;
            return;
        }
        if (after_blank_ && indent == 0 && line[0] != '\t')
            cut_before(line, at, complete && !has_return);
        after_blank_ = false;
        stopped_ = has_return;
        if (!complete || stopped_) return;
        open_block(trimmed, indent);
        pipes_ = pipes_ || line.contains('|');
        if (!fence_.is_open() && !only_inline_links(line)) stopped_ = true;
    }

    // At a line behind a blank one, without indentation: only a list could go on here.
    void cut_before(std::string_view line, std::size_t at, bool complete) {
        if (item_ != 0 && may_become_item(line[0]) && (!complete || item_width(line) != 0)) return;
        ends_.push_back(at);
        item_ = 0;
    }

    void open_block(std::string_view trimmed, std::size_t indent) {
        const bool inside_item = item_ != 0 && indent >= item_;
        if (inside_item) return;
        const std::size_t tabs = std::min(trimmed.find_first_not_of(" \t"), trimmed.size());
        const Fence fence = fence_of(trimmed.substr(tabs));
        if (fence.is_open()) {
            // With more indentation it may be code, or belong to a list; it may be a row of a
            // table: who knows.
            stopped_ = indent > 3 || tabs > 0 || pipes_ || (item_ != 0 && indent != 0);
            if (stopped_) return;
            fence_ = fence;
            item_ = 0;
            return;
        }
        if (const std::size_t width = item_width(trimmed)) item_ = indent + width;
    }

    std::vector<std::size_t> ends_;
    Fence fence_;
    std::size_t item_ =
        0;  // where the content of the open list's last item begins; 0: no list is open
    bool after_blank_ = false;
    bool pipes_ = false;  // since the last blank line
    bool stopped_ = false;
};

}  // namespace

std::vector<std::size_t> finished_block_ends(std::string_view text) {
    return BlockScanner().run(text);
}

}  // namespace notso::services
