// The wordwrap filter: lines of at most so many characters, broken where Python's textwrap breaks
// them. Chunks (words, parts of hyphenated words, runs of white space) are spans of the text.
#include <deque>

#include "services/template/jinja/args.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/jinja/text_ops.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {
namespace {

struct Chunk {
    std::size_t begin;
    std::size_t end;
    std::size_t size() const { return end - begin; }
};

struct WrapRules {
    std::size_t width = 79;
    bool break_words = true;
    bool split_hyphens = true;  ///< Chunks end behind the hyphens of words.
    bool cut_hyphens = true;    ///< A long word is cut behind its last hyphen.
    bool fraction = false;      ///< The width is a float: good until a word has to be cut.
};

bool is_break_space(char32_t c) { return (c >= 0x09 && c <= 0x0D) || c == ' '; }
bool is_word(char32_t c) { return c == '_' || unicode::has(c, unicode::kAlnum); }
bool is_letter(char32_t c) { return is_word(c) && !unicode::has(c, unicode::kDecimal); }
bool ends_word(char32_t c) {
    return is_word(c) || std::u32string_view(U"!\"'&.,?").find(c) != std::u32string_view::npos;
}

/// Cuts one line into chunks.
class ChunkReader {
  public:
    ChunkReader(std::u32string_view line, bool split_hyphens)
        : line_(line), split_hyphens_(split_hyphens), dashes_(line.size() + 1, 0) {
        for (std::size_t i = line.size(); i-- > 0;) {
            dashes_[i] = line[i] == '-' ? dashes_[i + 1] + 1 : 0;
        }
    }

    std::deque<Chunk> read() const {
        std::deque<Chunk> chunks;
        for (std::size_t at = 0; at < line_.size();) {
            const std::size_t end = chunk_end(at);
            chunks.push_back({at, end});
            at = end;
        }
        return chunks;
    }

  private:
    bool letter_at(std::size_t at) const { return at < line_.size() && is_letter(line_[at]); }

    // Two or more hyphens that begin here, between a word and another.
    bool em_dash(std::size_t at) const {
        const std::size_t behind = at + dashes_[at];
        return at > 0 && dashes_[at] >= 2 && behind < line_.size() && is_word(line_[behind]) &&
               ends_word(line_[at - 1]);
    }

    // A single hyphen inside a word.
    bool hyphen(std::size_t at) const {
        if (line_[at] != '-' || at < 2 || !letter_at(at - 1)) return false;
        const bool before =
            letter_at(at - 2) || (at >= 3 && line_[at - 2] == '-' && letter_at(at - 3));
        const std::size_t next = at + 2 < line_.size() && line_[at + 2] == '-' ? at + 3 : at + 2;
        return before && letter_at(at + 1) && letter_at(next);
    }

    std::size_t chunk_end(std::size_t at) const {
        const bool space = is_break_space(line_[at]);
        if (!space && split_hyphens_ && em_dash(at)) return at + dashes_[at];
        std::size_t end = at + 1;
        for (; end < line_.size() && is_break_space(line_[end]) == space; ++end) {
            if (space || !split_hyphens_) continue;
            if (hyphen(end)) return end + 1;
            if (em_dash(end)) return end;
        }
        return end;
    }

    std::u32string_view line_;
    bool split_hyphens_;
    std::vector<std::size_t> dashes_;  // how many hyphens begin at each place
};

/// Puts chunks into lines.
class Wrapper {
  public:
    Wrapper(std::u32string_view line, const WrapRules& rules)
        : line_(line), rules_(rules), chunks_(ChunkReader(line, rules.split_hyphens).read()) {}

    /// Adds the lines to `out`, one after another with `between`.
    Result<void> run(Interpreter& interpreter, TextBuilder& out, std::string_view between) {
        bool first = true;
        while (!chunks_.empty() && !out.full()) {
            NOTSO_CHECK(interpreter.spend());
            if (!first && blank(chunks_.front())) chunks_.pop_front();
            auto taken = take_line();
            if (failed_)
                return fail(ErrorCode::kInvalidArgument,
                            "wordwrap: words are cut at whole widths only");
            if (!taken.empty() && blank(taken.back())) taken.pop_back();
            if (taken.empty()) continue;
            if (!std::exchange(first, false)) out.add(between);
            for (const Chunk& chunk : taken)
                out.add(unicode::encode(line_.substr(chunk.begin, chunk.size())));
        }
        return {};
    }

  private:
    bool blank(const Chunk& chunk) const {
        const auto text = line_.substr(chunk.begin, chunk.size());
        return std::all_of(
            text.begin(), text.end(), [](char32_t c) { return unicode::has(c, unicode::kSpace); });
    }

    std::vector<Chunk> take_line() {
        std::vector<Chunk> taken;
        std::size_t used = 0;
        while (!chunks_.empty() && used + chunks_.front().size() <= rules_.width) {
            used += chunks_.front().size();
            taken.push_back(chunks_.front());
            chunks_.pop_front();
        }
        if (chunks_.empty() || chunks_.front().size() <= rules_.width) return taken;
        if (rules_.break_words && rules_.fraction) {
            failed_ = true;
            chunks_.clear();
        } else if (rules_.break_words) {
            Chunk& word = chunks_.front();
            const std::size_t end = word.begin + cut(word, rules_.width - used);
            taken.push_back({word.begin, end});
            word.begin = end;
        } else if (taken.empty()) {
            taken.push_back(chunks_.front());
            chunks_.pop_front();
        }
        return taken;
    }

    // How much of a long word goes on a line with this much room.
    std::size_t cut(const Chunk& word, std::size_t room) const {
        const auto head = line_.substr(word.begin, room);
        const std::size_t hyphen = rules_.cut_hyphens ? head.rfind(U'-') : head.npos;
        if (hyphen == head.npos || head.find_first_not_of(U'-') >= hyphen) return room;
        return hyphen + 1;
    }

    std::u32string_view line_;
    WrapRules rules_;
    std::deque<Chunk> chunks_;
    bool failed_ = false;
};

Result<WrapRules> wrap_rules(const BoundArgs& bound) {
    const bool fraction = bound.has(0) && bound[0].is_float();
    NOTSO_TRY(const std::int64_t width,
              fraction ? Result<std::int64_t>(static_cast<std::int64_t>(
                             std::clamp(bound[0].as_double(), -1e15, 1e15)))
                       : bound.integer(0, 79));
    if (fraction ? bound[0].as_double() <= 0 : width <= 0)
        return fail(ErrorCode::kInvalidArgument, "wordwrap: the width must be positive");
    WrapRules rules{static_cast<std::size_t>(width)};
    rules.fraction = fraction;
    rules.break_words = bound.truth(1, true);
    rules.split_hyphens = !bound.has(3) || (bound[3].is_bool() && bound[3].as_bool());
    rules.cut_hyphens = bound.truth(3, true);
    return rules;
}

Result<Value> filter_wordwrap(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(
        const auto bound,
        bind(args, {"wordwrap", {"width", "break_long_words", "wrapstring", "break_on_hyphens"}}));
    if (value.is_undefined())
        return fail(ErrorCode::kInvalidArgument, "{}", value.undefined_message());
    if (!value.is_string())
        return fail(
            ErrorCode::kInvalidArgument, "wordwrap works on strings, not '{}'", value.type_name());
    NOTSO_TRY(const auto between, bound.set(2) ? bound.text(2, "\n") : Result<std::string>("\n"));
    // Every character is decoded, classed and put into a chunk before the first line is taken.
    NOTSO_CHECK(interpreter.spend_on(value, 4));
    TextBuilder out = interpreter.builder();
    bool first = true;
    for (const std::string_view line : split_lines(value.text())) {
        NOTSO_TRY(const WrapRules rules, wrap_rules(bound));
        NOTSO_CHECK(interpreter.spend(static_cast<std::int64_t>(line.size() / 8)));
        if (!std::exchange(first, false)) out.add(between);
        const std::u32string decoded = unicode::decode(line);
        NOTSO_CHECK(Wrapper(decoded, rules).run(interpreter, out, between));
    }
    NOTSO_TRY(auto text, std::move(out).finish());
    return Value::string(std::move(text));
}

constexpr NamedFilter kWrapFilters[] = {{"wordwrap", filter_wordwrap}};

}  // namespace

std::span<const NamedFilter> wrap_filters() { return kWrapFilters; }

}  // namespace notso::services::jinja
