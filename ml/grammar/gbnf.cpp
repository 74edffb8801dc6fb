// A recursive descent over bytes; groups are as deep as the limit allows.
#include "ml/grammar/gbnf.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.hpp"
#include "ml/grammar/char_ranges.hpp"

namespace notso::ml {
namespace {

using ExprKind = Expression::Kind;

bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

class GbnfParser {
  public:
    GbnfParser(std::string_view text, const GrammarLimits& limits) : text_(text), limits_(limits) {}

    Result<GrammarSource> parse() {
        if (text_.size() > limits_.max_bytes) {
            return fail(ErrorCode::kInvalidArgument,
                        "the grammar has {} bytes, {} are allowed",
                        text_.size(),
                        limits_.max_bytes);
        }
        skip_space(true);
        while (at_ < text_.size()) NOTSO_CHECK(parse_rule());
        for (std::size_t i = 0; i < source_.rules.size(); ++i) {
            if (source_.rules[i].body >= 0) continue;
            at_ = first_use_[i];
            return refuse("the rule " + source_.rules[i].name + " is used but not defined");
        }
        const auto root = numbers_.find("root");
        if (root == numbers_.end())
            return fail(ErrorCode::kInvalidArgument, "the grammar has no rule named root");
        source_.root = root->second;
        return std::move(source_);
    }

  private:
    std::unexpected<Error> refuse(std::string_view what) const {
        const std::string_view before = text_.substr(0, at_);
        const auto line = std::ranges::count(before, '\n') + 1;
        const std::size_t start = before.rfind('\n') + 1;  // npos + 1 = 0
        return fail(ErrorCode::kInvalidArgument,
                    "grammar, line {}, column {}: {}",
                    line,
                    at_ - start + 1,
                    what);
    }

    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    bool take(char c) {
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    void skip_space(bool over_lines) {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '#') {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else if (c == ' ' || c == '\t' || ((c == '\n' || c == '\r') && over_lines)) {
                ++at_;
            } else {
                return;
            }
        }
    }

    ExprId add(Expression expression) {
        source_.expressions.push_back(std::move(expression));
        return static_cast<ExprId>(source_.expressions.size()) - 1;
    }

    Result<std::int32_t> rule_number() {
        const std::size_t begin = at_;
        while (at_ < text_.size() && is_name(text_[at_])) ++at_;
        if (at_ == begin) return refuse("the name of a rule is missing");
        const std::string name(text_.substr(begin, at_ - begin));
        const auto next = static_cast<std::int32_t>(source_.rules.size());
        const auto [known, is_new] = numbers_.try_emplace(name, next);
        if (is_new && source_.rules.size() == limits_.max_rules) {
            at_ = begin;
            return refuse(fmt::format("more than {} rules", limits_.max_rules));
        }
        if (is_new) {
            source_.rules.push_back({.name = name});
            first_use_.push_back(begin);
        }
        return known->second;
    }

    Result<> parse_rule() {
        const std::size_t begin = at_;
        NOTSO_TRY(const std::int32_t number, rule_number());
        skip_space(false);
        if (text_.substr(at_, 3) != "::=") return refuse("::= is missing behind the rule's name");
        at_ += 3;
        skip_space(true);
        NOTSO_TRY(const ExprId body, parse_choice(0));
        GrammarRule& rule = source_.rules[static_cast<std::size_t>(number)];
        if (rule.body >= 0) {
            at_ = begin;
            return refuse("the rule " + rule.name + " is defined twice");
        }
        rule.body = body;
        if (at_ < text_.size() && peek() != '\n' && peek() != '\r')
            return refuse(fmt::format("unexpected {}", shown()));
        skip_space(true);
        return {};
    }

    std::string shown() const {
        const auto c = static_cast<unsigned char>(peek());
        return c > ' ' && c < 0x7f ? fmt::format("'{}'", peek()) : fmt::format("byte 0x{:02x}", c);
    }

    /// An alternative may stand on the next line when that begins with '|'.
    bool take_bar(bool nested) {
        const std::size_t before = at_;
        skip_space(true);
        if (take('|')) return true;
        if (!nested) at_ = before;
        return false;
    }

    Result<ExprId> parse_choice(std::int32_t depth) {
        if (depth > limits_.max_depth)
            return refuse(fmt::format("more than {} groups within groups", limits_.max_depth));
        Expression choice{.kind = ExprKind::kChoice};
        do {
            skip_space(true);
            NOTSO_TRY(const ExprId part, parse_sequence(depth));
            choice.parts.push_back(part);
        } while (take_bar(depth > 0));
        return choice.parts.size() == 1 ? choice.parts.front() : add(std::move(choice));
    }

    Result<ExprId> parse_sequence(std::int32_t depth) {
        Expression sequence{.kind = ExprKind::kSequence};
        for (;;) {
            skip_space(depth > 0);
            if (at_ >= text_.size() || peek() == '|' || peek() == ')' || peek() == '\n' ||
                peek() == '\r')
                break;
            if (is_name(peek()) && names_next_rule()) break;
            NOTSO_TRY(const ExprId item, parse_item(depth));
            NOTSO_TRY(const ExprId repeated, parse_repeat(item));
            sequence.parts.push_back(repeated);
        }
        return sequence.parts.size() == 1 ? sequence.parts.front() : add(std::move(sequence));
    }

    bool names_next_rule() {
        const std::size_t begin = at_;
        while (at_ < text_.size() && is_name(text_[at_])) ++at_;
        skip_space(false);
        const bool defines = text_.substr(at_, 3) == "::=";
        at_ = begin;
        return defines;
    }

    Result<ExprId> parse_item(std::int32_t depth) {
        if (is_name(peek())) {
            NOTSO_TRY(const std::int32_t number, rule_number());
            return add({.kind = ExprKind::kRule, .min = number});
        }
        if (take('"')) return parse_literal();
        if (take('[')) return parse_class();
        if (take('.')) return add({.kind = ExprKind::kChars, .ranges = {{0, kLastCodePoint}}});
        if (take('(')) {
            NOTSO_TRY(const ExprId inside, parse_choice(depth + 1));
            skip_space(true);
            if (!take(')')) return refuse("the group is not closed: ')' is missing");
            return inside;
        }
        if (peek() == '*' || peek() == '+' || peek() == '?' || peek() == '{')
            return refuse(fmt::format("there is nothing before '{}' to repeat", peek()));
        return refuse(fmt::format("unexpected {}", shown()));
    }

    Result<ExprId> parse_literal() {
        Expression literal{.kind = ExprKind::kLiteral};
        while (!take('"')) {
            NOTSO_TRY(const char32_t c, parse_character());
            append_utf8(literal.bytes, c);
        }
        return add(std::move(literal));
    }

    Result<ExprId> parse_class() {
        const bool negated = take('^');
        std::vector<CharRange> ranges;
        while (!take(']')) {
            NOTSO_TRY(const char32_t first, parse_character());
            CharRange range{first, first};
            if (peek() == '-' && peek(1) != ']') {
                ++at_;
                NOTSO_TRY(range.last, parse_character());
            }
            if (range.last < range.first) return refuse("the range goes backwards");
            ranges.push_back(range);
        }
        ranges = normalised(std::move(ranges));
        if (negated) ranges = complement(ranges);
        if (ranges.empty()) return refuse("the character class holds no character");
        return add({.kind = ExprKind::kChars, .ranges = std::move(ranges)});
    }

    /// A character of a literal or a class, perhaps escaped.
    Result<char32_t> parse_character() {
        if (at_ >= text_.size() || peek() == '\n') return refuse("the text is not closed");
        if (!take('\\')) {
            const DecodedCodePoint decoded = decode_utf8(text_.substr(at_));
            if (!decoded.valid) return refuse("this is not UTF-8");
            at_ += decoded.size;
            return decoded.value;
        }
        const char escaped = peek();
        ++at_;
        switch (escaped) {
            case 'n':
                return U'\n';
            case 'r':
                return U'\r';
            case 't':
                return U'\t';
            case 'x':
                return parse_hex(2);
            case 'u':
                return parse_hex(4);
            case 'U':
                return parse_hex(8);
            case '\\':
            case '"':
            case '[':
            case ']':
            case '^':
            case '-':
                return static_cast<char32_t>(escaped);
            default:
                --at_;
                return refuse(
                    "unknown escape; \\n \\r \\t \\x \\u \\U \\\\ \\\" \\[ \\] are known");
        }
    }

    Result<char32_t> parse_hex(std::size_t n_digits) {
        char32_t value = 0;
        for (std::size_t i = 0; i < n_digits; ++i, ++at_) {
            const char c = peek();
            const bool is_digit = c >= '0' && c <= '9';
            const char lower = static_cast<char>(c | 0x20);
            if (!is_digit && !(lower >= 'a' && lower <= 'f'))
                return refuse(fmt::format("{} hexadecimal digits are wanted here", n_digits));
            value = value * 16 + static_cast<char32_t>(is_digit ? c - '0' : lower - 'a' + 10);
        }
        if (!is_scalar(value)) return refuse("this is no Unicode character");
        return value;
    }

    /// What stands behind an item: nothing, or how often it may come.
    Result<ExprId> parse_repeat(ExprId item) {
        bool repeated = false;
        for (;;) {
            skip_space(false);
            Expression repeat{
                .kind = ExprKind::kRepeat, .parts = {item}, .min = 0, .max = kNoLimit};
            if (take('+')) {
                repeat.min = 1;
            } else if (take('?')) {
                repeat.max = 1;
            } else if (peek() == '{') {
                NOTSO_CHECK(parse_bounds(repeat));
            } else if (!take('*')) {
                return item;
            }
            if (repeated) return refuse("to repeat a repeat, put the inner one into a group");
            repeated = true;
            item = add(std::move(repeat));
        }
    }

    Result<> parse_bounds(Expression& repeat) {
        ++at_;
        skip_space(false);
        NOTSO_TRY(repeat.min, parse_number());
        repeat.max = repeat.min;
        skip_space(false);
        if (take(',')) {
            skip_space(false);
            repeat.max = kNoLimit;
            if (peek() != '}') {
                NOTSO_TRY(repeat.max, parse_number());
            }
            skip_space(false);
        }
        if (!take('}')) return refuse("the repeat is not closed: '}' is missing");
        if (repeat.max < repeat.min) return refuse("the repeat's bounds go backwards");
        return {};
    }

    Result<std::int32_t> parse_number() {
        const std::size_t begin = at_;
        std::int32_t value = 0;
        for (; peek() >= '0' && peek() <= '9'; ++at_) {
            value = value * 10 + (peek() - '0');
            if (value > limits_.max_repeat)
                return refuse(fmt::format("a repeat of more than {}", limits_.max_repeat));
        }
        if (at_ == begin) return refuse("a number is missing in the repeat");
        return value;
    }

    std::string_view text_;
    const GrammarLimits& limits_;
    std::size_t at_ = 0;
    GrammarSource source_;
    std::map<std::string, std::int32_t, std::less<>> numbers_;
    std::vector<std::size_t> first_use_;  // by rule: where its name stood first
};

}  // namespace

Result<GrammarSource> parse_gbnf(std::string_view text, const GrammarLimits& limits) {
    return GbnfParser(text, limits).parse();
}

}  // namespace notso::ml
