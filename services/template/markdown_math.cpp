// See markdown_math.hpp.
#include "services/template/markdown_math.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "services/template/markdown.hpp"
#include "services/template/markdown_scan.hpp"

namespace notso::services {
namespace {

// A mark is the formula's number between two characters of the private use area.
constexpr std::string_view kMarkOpens = "\xEF\xA3\x90";
constexpr std::string_view kMarkCloses = "\xEF\xA3\x91";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           static_cast<unsigned char>(c) >= 0x80;
}

/// The line without quotation marks and list bullets before it.
std::string_view without_containers(std::string_view line) {
    while (true) {
        const std::size_t at = std::min(line.find_first_not_of(" \t>"), line.size());
        line.remove_prefix(at);
        const std::size_t digits = std::min(line.find_first_not_of("0123456789"), line.size());
        const std::string_view marks = digits == 0 ? "-+*" : ".)";
        const bool bullet =
            digits + 1 < line.size() && marks.contains(line[digits]) && is_space(line[digits + 1]);
        if (!bullet) return line;
        line.remove_prefix(digits + 2);
    }
}

/// Words only: "\[not a link\]" is a way to write brackets.
bool is_plain_words(std::string_view tex) {
    return tex.size() > 1 && std::ranges::all_of(tex, [](char c) {
               return c == ' ' || (is_word(c) && !is_digit(c)) || c == ',' || c == '.';
           });
}

/// "5 or 6": amounts with words around them, no formula.
bool is_amount(std::string_view tex) {
    return is_digit(tex.front()) && tex.contains(' ') &&
           tex.find_first_of("\\^_={}+*/<>") == std::string_view::npos;
}

class FormulaFinder {
  public:
    explicit FormulaFinder(std::string_view text) : text_(text), cuts_(finished_block_ends(text)) {}

    MarkedText run() && {
        while (at_ < text_.size()) {
            if (at_line_start_) begin_line();
            if (fence_.is_open()) {
                copy(line_end() - at_ + 1);
                at_line_start_ = true;
            } else if (at_ < text_.size()) {
                step();
            }
        }
        return std::move(out_);
    }

  private:
    std::size_t line_end() const { return std::min(text_.find('\n', at_), text_.size()); }

    void copy(std::size_t count) {
        const std::string_view piece = text_.substr(at_, count);
        out_.text += piece;
        at_ += piece.size();
    }

    // Blocks of code in lists and quotations are guessed at. Where a formula is taken out of code,
    // the renderer puts it back; and what stands before a cut does not reach beyond it.
    void begin_line() {
        at_line_start_ = false;
        const std::string_view line = text_.substr(at_, line_end() - at_);
        if (is_blank(line)) dead_ticks_ = {};
        if (next_cut_ < cuts_.size() && at_ == cuts_[next_cut_]) {
            ++next_cut_;
            fence_ = {};
        }
        const std::size_t indent = indentation(line);
        if (!fence_.is_open()) {
            fence_ = fence_of(line.substr(std::min<std::size_t>(indent, 3)));
        } else if (closes_fence(line, fence_)) {
            fence_ = {};
            copy(line.size());
        }
    }

    void step() {
        const std::string_view rest = text_.substr(at_);
        if (rest[0] == '\n') {
            copy(1);
            at_line_start_ = true;
        } else if (rest[0] == '`') {
            skip_code();
        } else if (rest.starts_with("\\(")) {
            take("\\(", "\\)") || (copy(2), true);
        } else if (rest.starts_with("\\[")) {
            take("\\[", "\\]") || (copy(2), true);
        } else if (rest[0] == '\\') {
            copy(rest.size() > 1 && rest[1] != '\n' ? 2 : 1);
        } else if (rest.starts_with("$$")) {
            const std::size_t run = std::min(rest.find_first_not_of('$'), rest.size());
            if (run != 2 || !take("$$", "$$")) copy(run);
        } else if (rest[0] == '$') {
            if (!take_dollars()) copy(1);
        } else {
            copy(std::max<std::size_t>(std::min(rest.find_first_of("\n`\\$"), rest.size()), 1));
        }
    }

    /// No formula goes on in the line that begins at `at`: it is blank, or opens a block of code.
    bool ends_paragraph(std::size_t at) const {
        const std::size_t end = std::min(text_.find('\n', at), text_.size());
        std::string_view line = without_containers(text_.substr(at, end - at));
        if (line.ends_with('\r')) line.remove_suffix(1);
        return is_blank(line) || fence_of(line).is_open();
    }

    bool take(std::string_view opens, std::string_view closes) {
        const std::size_t begin = at_ + opens.size();
        const std::size_t most = std::min(begin + kMaxFormulaBytes, text_.size());
        for (std::size_t i = begin; i < most; ++i) {
            const std::string_view rest = text_.substr(i, closes.size());
            if (rest == closes) return finish(begin, i, closes.size());
            if (rest == opens || (rest[0] == '\n' && ends_paragraph(i + 1))) return false;
            if (rest[0] == '\\') ++i;
        }
        return false;
    }

    bool take_dollars() {
        const std::size_t begin = at_ + 1;
        const bool in_word = at_ > 0 && (is_word(text_[at_ - 1]) || text_[at_ - 1] == '$');
        if (in_word || begin >= text_.size() || is_space(text_[begin])) return false;
        const std::size_t most = std::min(line_end(), begin + kMaxFormulaBytes);
        for (std::size_t end = begin; end < most; ++end) {
            if (text_[end] == '\\')
                ++end;
            else if (text_[end] == '$') {
                const bool before_word =
                    end + 1 < text_.size() && (is_word(text_[end + 1]) || text_[end + 1] == '$');
                if (before_word || is_space(text_[end - 1])) return false;
                if (is_amount(text_.substr(begin, end - begin))) return false;
                return finish(begin, end, 1);
            }
        }
        return false;
    }

    /// Text from `begin` to `end` is a formula, and its closing delimiter follows.
    bool finish(std::size_t begin, std::size_t end, std::size_t closing) {
        Formula formula;
        formula.source = text_.substr(at_, end + closing - at_);
        formula.display = formula.source.starts_with("$$") || formula.source.starts_with("\\[");
        const std::string_view inside = text_.substr(begin, end - begin);
        for (std::size_t at = 0; at < inside.size();) {
            const std::size_t size = std::min(inside.find('\n', at), inside.size() - 1) + 1 - at;
            std::string_view line = inside.substr(at, size);
            if (at > 0) line.remove_prefix(std::min(line.find_first_not_of(" \t>"), line.size()));
            formula.tex += line;
            at += size;
        }
        if (is_blank_all(formula.tex)) return false;
        if (formula.source.starts_with("\\[") && is_plain_words(formula.tex)) return false;
        out_.text += fmt::format("{}{}{}", kMarkOpens, out_.formulas.size(), kMarkCloses);
        out_.formulas.push_back(std::move(formula));
        at_ = end + closing;
        return true;
    }

    static bool is_blank_all(std::string_view text) { return std::ranges::all_of(text, is_space); }

    /// Copies a span of code, or the backticks of what is none.
    void skip_code() {
        const std::size_t run = std::min(text_.find_first_not_of('`', at_), text_.size()) - at_;
        const bool known_dead = run >= dead_ticks_.size() || dead_ticks_[run];
        if (at_ >= code_end_) code_end_ = code_paragraph_end();
        const std::size_t most = known_dead ? at_ : code_end_;
        for (std::size_t at = at_ + run; at < most;) {
            const std::size_t begin = text_.find('`', at);
            if (begin >= most) break;
            const std::size_t end = std::min(text_.find_first_not_of('`', begin), text_.size());
            if (end - begin == run) return copy(end - at_);
            at = end;
        }
        if (run < dead_ticks_.size()) dead_ticks_[run] = true;
        copy(run);
    }

    std::size_t code_paragraph_end() const {
        for (std::size_t at = text_.find('\n', at_); at < text_.size();
             at = text_.find('\n', at + 1)) {
            const std::size_t end = std::min(text_.find('\n', at + 1), text_.size());
            if (is_blank(text_.substr(at + 1, end - at - 1))) return at;
        }
        return text_.size();
    }

    std::string_view text_;
    std::vector<std::size_t> cuts_;
    std::size_t next_cut_ = 0;
    std::size_t at_ = 0;
    bool at_line_start_ = true;
    std::size_t code_end_ = 0;  ///< A span of code that begins before it ends before it too.
    Fence fence_;
    std::array<bool, 33>
        dead_ticks_{};  ///< Runs of so many backticks close nothing in this paragraph.
    MarkedText out_;
};

}  // namespace

MarkedText take_formulas(std::string_view text) {
    const bool any = text.contains('$') || text.contains("\\(") || text.contains("\\[");
    if (!any || text.contains(kMarkOpens) || text.contains(kMarkCloses))
        return {std::string(text), {}};
    return FormulaFinder(text).run();
}

void visit_marked(std::string_view piece,
                  const std::vector<Formula>& formulas,
                  const std::function<void(std::string_view)>& on_text,
                  const std::function<void(const Formula&)>& on_formula) {
    while (!formulas.empty()) {
        const std::size_t begin = piece.find(kMarkOpens);
        const std::size_t end = piece.find(kMarkCloses, std::min(begin, piece.size()));
        if (end == std::string_view::npos) break;
        std::size_t number = 0;
        const std::size_t first = begin + kMarkOpens.size();
        std::from_chars(piece.data() + first, piece.data() + end, number);
        if (begin > 0) on_text(piece.substr(0, begin));
        if (number < formulas.size()) on_formula(formulas[number]);
        piece.remove_prefix(end + kMarkCloses.size());
    }
    if (!piece.empty()) on_text(piece);
}

}  // namespace notso::services
