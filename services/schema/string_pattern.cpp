// A recursive descent over the pattern that writes GBNF as it goes.
#include "services/schema/string_pattern.hpp"

#include <algorithm>
#include <vector>

#include "base/utf8.hpp"
#include "services/schema/gbnf_text.hpp"

namespace notso::services {
namespace {

using Ranges = std::vector<CodeRange>;

constexpr int kMaxPatternDepth = 32;
constexpr std::int64_t kMaxPatternRepeat = 2000;
constexpr std::size_t kMaxPatternBytes = 4096;

const Ranges& digits() {
    static const Ranges ranges = {{U'0', U'9'}};
    return ranges;
}
const Ranges& word() {
    static const Ranges ranges = {{U'0', U'9'}, {U'A', U'Z'}, {U'_', U'_'}, {U'a', U'z'}};
    return ranges;
}
const Ranges& space() {
    static const Ranges ranges = {{U'\t', U'\r'}, {U' ', U' '}};
    return ranges;
}

Ranges sorted(Ranges ranges) {
    std::ranges::sort(ranges);
    Ranges out;
    for (const CodeRange& range : ranges) {
        if (!out.empty() && range.first <= out.back().second + 1) {
            out.back().second = std::max(out.back().second, range.second);
        } else {
            out.push_back(range);
        }
    }
    return out;
}

Ranges all_but(const Ranges& ranges, char32_t last = kMaxCodePoint) {
    Ranges out;
    char32_t next = 0;
    for (const auto& [begin, end] : sorted(ranges)) {
        if (begin > next) out.emplace_back(next, std::min<char32_t>(begin - 1, last));
        next = end + 1;
    }
    if (next <= last) out.emplace_back(next, last);
    return out;
}

/// Classes that others define by all of Unicode: only what everybody agrees on, ASCII, is written.
Ranges ascii_but(const Ranges& ranges) { return all_but(ranges, 0x7F); }

class PatternParser {
  public:
    explicit PatternParser(std::string_view pattern) : pattern_(pattern) {}

    Result<StringGrammar> parse() {
        if (pattern_.size() > kMaxPatternBytes)
            return refuse(fmt::format("it is longer than {} bytes", kMaxPatternBytes));
        if (!is_valid_utf8(pattern_)) return refuse("it is not UTF-8");
        NOTSO_TRY(StringGrammar all, choice(0));
        if (at_ < pattern_.size()) return refuse("')' without '('");
        return all;
    }

  private:
    std::unexpected<Error> refuse(std::string_view what) const {
        return fail(ErrorCode::kInvalidArgument, "at byte {}: {}", at_ + 1, what);
    }
    bool ends() const { return at_ >= pattern_.size(); }
    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : '\0';
    }
    bool take(std::string_view text) {
        if (!pattern_.substr(at_).starts_with(text)) return false;
        at_ += text.size();
        return true;
    }

    static std::int64_t add(std::int64_t a, std::int64_t b) {
        return a == kUnboundedLength || b == kUnboundedLength ? kUnboundedLength : a + b;
    }

    Result<StringGrammar> choice(int depth) {
        if (depth > kMaxPatternDepth) return refuse("too many groups within groups");
        StringGrammar out;
        for (bool first = true; first || take("|"); first = false) {
            NOTSO_TRY(StringGrammar part, sequence(depth));
            if (first) {
                out = std::move(part);
                continue;
            }
            out.gbnf += " | " + part.gbnf;
            out.min_length = std::min(out.min_length, part.min_length);
            const bool unbounded = std::min(out.max_length, part.max_length) == kUnboundedLength;
            out.max_length =
                unbounded ? kUnboundedLength : std::max(out.max_length, part.max_length);
        }
        out.gbnf = "(" + out.gbnf + ")";
        return out;
    }

    /// At the outermost level a side without an anchor may have any text before or behind it.
    Result<StringGrammar> sequence(int depth) {
        StringGrammar out{.gbnf = "", .min_length = 0, .max_length = 0};
        if (!take("^") && depth == 0) append(out, {.gbnf = "char*"});
        bool closed = false;
        while (!ends() && peek() != '|' && peek() != ')') {
            if (peek() == '$' && depth == 0 && (at_ + 1 == pattern_.size() || peek(1) == '|')) {
                ++at_;
                closed = true;
                break;
            }
            NOTSO_TRY(StringGrammar item, atom(depth));
            NOTSO_TRY(item, repeated(std::move(item)));
            append(out, item);
        }
        if (!closed && depth == 0) append(out, {.gbnf = "char*"});
        if (out.gbnf.empty()) out.gbnf = "\"\"";
        return out;
    }

    static void append(StringGrammar& out, const StringGrammar& item) {
        if (!out.gbnf.empty()) out.gbnf += ' ';
        out.gbnf += item.gbnf;
        out.min_length += item.min_length;
        out.max_length = add(out.max_length, item.max_length);
    }

    Result<StringGrammar> atom(int depth) {
        const char c = peek();
        if (c == '(') return group(depth);
        if (c == '[') return character_class();
        if (c == '^' || c == '$') return refuse("an anchor inside is not supported");
        if (c == '*' || c == '+' || c == '?' || c == '{')
            return refuse("there is nothing to repeat");
        if (take("."))
            return characters(
                all_but({{U'\n', U'\n'}, {U'\r', U'\r'}, {0x2028, 0x2029}, {0xD800, 0xDFFF}}));
        if (c == '\\') {
            NOTSO_TRY(const Ranges ranges, escape());
            return characters(ranges);
        }
        const DecodedCodePoint decoded = decode_utf8(pattern_.substr(at_));
        at_ += decoded.size;
        return characters({{decoded.value, decoded.value}});
    }

    Result<StringGrammar> characters(const Ranges& ranges) {
        std::string gbnf = gbnf_json_characters(ranges);
        if (gbnf.empty()) return refuse("no character fits");
        return StringGrammar{.gbnf = std::move(gbnf), .min_length = 1, .max_length = 1};
    }

    Result<StringGrammar> group(int depth) {
        ++at_;
        if (take("?:")) {
        } else if (pattern_.substr(at_).starts_with("?<") && peek(2) != '=' && peek(2) != '!') {
            at_ = std::min(pattern_.find('>', at_), pattern_.size() - 1) + 1;
        } else if (peek() == '?') {
            return refuse("looking around is not supported");
        }
        NOTSO_TRY(StringGrammar inside, choice(depth + 1));
        if (!take(")")) return refuse("')' is missing");
        return inside;
    }

    Result<StringGrammar> repeated(StringGrammar item) {
        std::int64_t min = 1;
        std::int64_t max = 1;
        if (take("*")) {
            min = 0, max = kUnboundedLength;
        } else if (take("+")) {
            max = kUnboundedLength;
        } else if (take("?")) {
            min = 0;
        } else if (take("{")) {
            NOTSO_TRY(min, number());
            max = min;
            if (take(",")) {
                max = kUnboundedLength;
                if (peek() != '}') {
                    NOTSO_TRY(max, number());
                }
            }
            if (!take("}")) return refuse("'}' is missing");
            if (max != kUnboundedLength && max < min) return refuse("the repeat goes backwards");
        } else {
            return item;
        }
        take("?");  // how much is tried first does not matter
        if (peek() == '*' || peek() == '+' || peek() == '{') return refuse("a repeat of a repeat");
        const std::string bounds = max == kUnboundedLength ? fmt::format("{{{},}}", min)
                                                           : fmt::format("{{{},{}}}", min, max);
        item.gbnf = "(" + item.gbnf + ")" + bounds;
        item.min_length *= min;
        const bool unbounded = max == kUnboundedLength || item.max_length == kUnboundedLength;
        item.max_length = unbounded ? (item.max_length == 0 || max == 0 ? 0 : kUnboundedLength)
                                    : item.max_length * max;
        return item;
    }

    Result<std::int64_t> number() {
        const std::size_t begin = at_;
        std::int64_t value = 0;
        for (; peek() >= '0' && peek() <= '9'; ++at_) {
            value = value * 10 + (peek() - '0');
            if (value > kMaxPatternRepeat)
                return refuse(fmt::format("a repeat of more than {}", kMaxPatternRepeat));
        }
        if (at_ == begin) return refuse("a number is missing in the repeat");
        return value;
    }

    Result<StringGrammar> character_class() {
        ++at_;
        has_kind_ = false;
        const bool negated = take("^");
        Ranges ranges;
        while (!take("]")) {
            if (ends()) return refuse("']' is missing");
            NOTSO_TRY(Ranges first, class_member());
            const bool is_range = peek() == '-' && peek(1) != ']' && at_ + 1 < pattern_.size();
            if (!is_range) {
                ranges.insert(ranges.end(), first.begin(), first.end());
                continue;
            }
            ++at_;
            NOTSO_TRY(const Ranges last, class_member());
            const bool single = first.size() == 1 && last.size() == 1 &&
                                first[0].first == first[0].second &&
                                last[0].first == last[0].second;
            if (!single || last[0].first < first[0].first) return refuse("this is no range");
            ranges.emplace_back(first[0].first, last[0].first);
        }
        if (!negated) return characters(sorted(std::move(ranges)));
        // What is left out might be meant for more than ASCII.
        ranges.emplace_back(0xD800, 0xDFFF);
        return characters(has_kind_ ? ascii_but(ranges) : all_but(ranges));
    }

    Result<Ranges> class_member() {
        if (peek() == '\\') {
            const char kind = peek(1);
            if (kind == 'd' || kind == 'w' || kind == 's') has_kind_ = true;
            if (kind == 'b') {
                at_ += 2;
                return Ranges{{U'\b', U'\b'}};
            }
            return escape();
        }
        const DecodedCodePoint decoded = decode_utf8(pattern_.substr(at_));
        at_ += decoded.size;
        return Ranges{{decoded.value, decoded.value}};
    }

    Result<Ranges> escape() {
        ++at_;
        if (ends()) return refuse("nothing behind the backslash");
        const char c = pattern_[at_++];
        const auto one = [](char32_t value) { return Ranges{{value, value}}; };
        switch (c) {
            case 'd':
                return digits();
            case 'D':
                return ascii_but(digits());
            case 'w':
                return word();
            case 'W':
                return ascii_but(word());
            case 's':
                return space();
            case 'S':
                return ascii_but(space());
            case 't':
                return one(U'\t');
            case 'n':
                return one(U'\n');
            case 'r':
                return one(U'\r');
            case 'f':
                return one(U'\f');
            case 'v':
                return one(U'\v');
            case 'x':
                return hex(2);
            case 'u':
                return hex(4);
            default:
                break;
        }
        const bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || static_cast<unsigned char>(c) >= 0x80) {
            at_ -= 2;
            return refuse(fmt::format("the escape \\{} is not supported", letter ? c : '?'));
        }
        return one(static_cast<char32_t>(c));
    }

    Result<Ranges> hex(std::size_t n) {
        char32_t value = 0;
        for (std::size_t i = 0; i < n; ++i, ++at_) {
            const char c = peek();
            const char lower = static_cast<char>(c | 0x20);
            const bool is_digit = c >= '0' && c <= '9';
            if (!is_digit && !(lower >= 'a' && lower <= 'f'))
                return refuse(fmt::format("{} hexadecimal digits are wanted", n));
            value = value * 16 + static_cast<char32_t>(is_digit ? c - '0' : lower - 'a' + 10);
        }
        if (value >= 0xD800 && value <= 0xDFFF) return refuse("half of a surrogate pair");
        return Ranges{{value, value}};
    }

    std::string_view pattern_;
    std::size_t at_ = 0;
    bool has_kind_ = false;  // \d and the like in the class that is read
};

struct Format {
    std::string_view name;
    std::string_view pattern;
};

// Never more than what the format allows; often less (years of four digits, no leap days).
constexpr Format kFormats[] = {
    {"date",
     R"(^[12]\d{3}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8]))$)"},
    {"time", R"(^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$)"},
    {"date-time",
     R"(^[12]\d{3}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8])))"
     R"(T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$)"},
    {"duration", R"(^P(\d{1,4}[YMWD]|\d{1,3}DT\d{1,3}[HMS]|T\d{1,4}[HMS])$)"},
    {"uuid", R"(^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$)"},
    {"email",
     R"(^[a-zA-Z0-9_+-]{1,32}(\.[a-zA-Z0-9_+-]{1,30}){0,1}@([a-zA-Z0-9]{1,30}\.){1,3}[a-zA-Z]{2,12}$)"},
    {"hostname",
     R"(^[a-zA-Z0-9]{1,30}(-[a-zA-Z0-9]{1,30})?(\.[a-zA-Z0-9]{1,30}){0,3}\.[a-zA-Z]{2,12}$)"},
    {"ipv4", R"(^((25[0-5]|2[0-4]\d|1\d\d|[1-9]\d|\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]\d|\d)$)"},
    {"ipv6", R"(^([0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$)"},
    {"uri",
     R"(^https?://([a-zA-Z0-9]{1,30}\.){1,3}[a-zA-Z]{2,12}(/[a-zA-Z0-9._~-]{1,60}){0,8}/?$)"},
};

}  // namespace

Result<StringGrammar> pattern_grammar(std::string_view pattern) {
    return PatternParser(pattern).parse();
}

std::optional<StringGrammar> format_grammar(std::string_view format) {
    const auto* known = std::ranges::find(kFormats, format, &Format::name);
    if (known == std::end(kFormats)) return std::nullopt;
    return pattern_grammar(known->pattern).value();
}

}  // namespace notso::services
