// Calls written as Python. Only what is listed here is understood: names, literals, calls. See
// tool_call_text.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/utf8.hpp"
#include "services/backend/tool_call_text.hpp"

namespace notso::services {
namespace {

constexpr int kMaxCodeDepth = 64;
constexpr std::size_t kMaxCodeCalls = 64;

bool name_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool name_digit(char c) { return c >= '0' && c <= '9'; }

/// Reads one text from left to right; every function leaves the place behind what it took, or fails
/// for good.
class CodeReader {
  public:
    CodeReader(std::string_view code, const std::vector<OfferedTool>& tools)
        : code_(code), tools_(tools) {}

    std::vector<ParsedToolCall> calls() {
        std::vector<ParsedToolCall> out;
        for (skip_lines(); ok_ && at_ < code_.size(); skip_lines()) {
            ParsedToolCall call = statement();
            if (!ok_ || out.size() == kMaxCodeCalls) return {};
            out.push_back(std::move(call));
            skip_spaces();
            if (at_ < code_.size() && !accept('\n') && !accept(';') && peek() != '#') return {};
        }
        return ok_ ? out : std::vector<ParsedToolCall>();
    }

  private:
    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < code_.size() ? code_[at_ + ahead] : '\0';
    }
    bool accept(char c) {
        if (peek() != c || at_ >= code_.size()) return false;
        ++at_;
        return true;
    }
    void expect(char c) { ok_ = ok_ && accept(c); }
    void skip_spaces() {
        while (peek() == ' ' || peek() == '\t' || peek() == '\r') ++at_;
    }
    /// White space, line ends and comments.
    void skip_lines() {
        for (skip_spaces(); at_ < code_.size() && (peek() == '\n' || peek() == '#');
             skip_spaces()) {
            if (peek() == '#') at_ = std::min(code_.find('\n', at_), code_.size());
            if (peek() == '\n') ++at_;
        }
    }

    std::string name() {
        const std::size_t begin = at_;
        while (name_letter(peek()) || (at_ > begin && (name_digit(peek()) || peek() == '.'))) ++at_;
        ok_ = ok_ && at_ > begin;
        return std::string(code_.substr(begin, at_ - begin));
    }

    /// name(…) · x = name(…) · print(name(…))
    ParsedToolCall statement() {
        std::string first = name();
        skip_spaces();
        if (ok_ && peek() == '=' && peek(1) != '=') {
            ++at_;
            skip_spaces();
            first = name();
            skip_spaces();
        }
        if (first != "print" || is_offered("print")) return call(first);
        expect('(');
        skip_lines();
        const std::string inner = name();
        ParsedToolCall printed = call(inner);
        skip_lines();
        expect(')');
        return printed;
    }

    const OfferedTool* find(std::string_view tool_name) const {
        const auto found = std::ranges::find_if(tools_, [&](const OfferedTool& tool) {
            return tool.by_code && tool.name == tool_name;
        });
        return found == tools_.end() ? nullptr : &*found;
    }
    bool is_offered(std::string_view tool_name) const { return find(tool_name) != nullptr; }

    ParsedToolCall call(const std::string& tool_name) {
        const OfferedTool* tool = find(tool_name);
        ok_ = ok_ && tool != nullptr;
        if (!ok_) return {};
        std::string arguments;
        std::vector<std::string> given;
        expect('(');
        for (skip_lines(); ok_ && !accept(')'); skip_lines()) {
            std::string key = keyword();
            if (key.empty()) {  // by place
                ok_ = ok_ && given.size() < tool->parameter_names.size();
                if (!ok_) return {};
                key = tool->parameter_names[given.size()];
            }
            ok_ = ok_ && std::ranges::find(given, key) == given.end();
            arguments +=
                fmt::format("{}{}: {}", given.empty() ? "" : ", ", quoted(key), literal(0));
            given.push_back(key);
            skip_lines();
            if (!accept(',') && peek() != ')') ok_ = false;
        }
        return {tool_name, "{" + arguments + "}"};
    }

    /// "city=" in front of a value; empty when there is none.
    std::string keyword() {
        const std::size_t begin = at_;
        std::size_t end = at_;
        while (end < code_.size() && (name_letter(code_[end]) || name_digit(code_[end]))) ++end;
        std::size_t equals = end;
        while (equals < code_.size() && code_[equals] == ' ') ++equals;
        if (end == begin || !name_letter(code_[begin]) || equals >= code_.size() ||
            code_[equals] != '=' || (equals + 1 < code_.size() && code_[equals + 1] == '='))
            return {};
        at_ = equals + 1;
        skip_lines();
        return std::string(code_.substr(begin, end - begin));
    }

    /// One literal as JSON.
    std::string literal(int depth) {
        ok_ = ok_ && depth < kMaxCodeDepth;
        if (!ok_) return {};
        const char c = peek();
        if (c == '"' || c == '\'') return quoted(string());
        if (c == '[') return list('[', ']', depth);
        if (c == '(') return list('(', ')', depth);
        if (c == '{') return dictionary(depth);
        if (name_digit(c) || c == '-' || c == '+' || c == '.') return number();
        const std::string word = name();
        if (word == "True") return "true";
        if (word == "False") return "false";
        if (word == "None") return "null";
        ok_ = false;
        return {};
    }

    std::string list(char open, char close, int depth) {
        std::string items;
        bool comma = false;
        expect(open);
        for (skip_lines(); ok_ && !accept(close); skip_lines()) {
            if (!items.empty()) items += ", ";
            items += literal(depth + 1);
            skip_lines();
            if (accept(',')) {
                comma = true;
            } else {
                ok_ = ok_ && peek() == close;
            }
        }
        // Python: parentheses around one value are no tuple.
        return open == '(' && !comma && !items.empty() ? items : "[" + items + "]";
    }

    std::string dictionary(int depth) {
        std::string members;
        expect('{');
        for (skip_lines(); ok_ && !accept('}'); skip_lines()) {
            ok_ = ok_ && (peek() == '"' || peek() == '\'');
            if (!ok_) return {};
            if (!members.empty()) members += ", ";
            members += quoted(string());
            skip_lines();
            expect(':');
            skip_lines();
            members += ": " + literal(depth + 1);
            skip_lines();
            if (!accept(',')) ok_ = ok_ && peek() == '}';
        }
        return "{" + members + "}";
    }

    /// Whole numbers of any length, and decimal ones.
    std::string number() {
        const bool negative = accept('-');
        if (!negative) accept('+');
        std::string digits;
        for (; name_digit(peek()) || peek() == '.' || peek() == 'e' || peek() == 'E' ||
               peek() == '_' ||
               ((peek() == '-' || peek() == '+') && !digits.empty() &&
                (digits.back() == 'e' || digits.back() == 'E'));
             ++at_) {
            if (peek() != '_') digits += peek();
        }
        const bool whole = std::ranges::all_of(digits, name_digit);
        if (whole) {
            ok_ = ok_ && !digits.empty() && (digits.size() == 1 || digits[0] != '0');
            return (negative ? "-" : "") + digits;
        }
        double value = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        ok_ = ok_ && read.ec == std::errc() && read.ptr == digits.data() + digits.size() &&
              std::isfinite(value);
        return fmt::format("{}{}", negative ? "-" : "", value);
    }

    std::string string() {
        const char quote = peek();
        const std::string_view triple = code_.substr(at_, 3);
        const bool is_triple = triple.size() == 3 && triple[1] == quote && triple[2] == quote;
        at_ += is_triple ? 3 : 1;
        std::string text;
        while (ok_) {
            ok_ = at_ < code_.size();
            if (!ok_) break;
            if (is_triple ? code_.substr(at_, 3) == triple : peek() == quote) break;
            if (!is_triple && peek() == '\n') ok_ = false;
            if (peek() == '\\') {
                escape(text);
            } else {
                text += peek();
                ++at_;
            }
        }
        at_ = std::min(at_ + (is_triple ? 3 : 1), code_.size());
        ok_ = ok_ && is_valid_utf8(text);
        return text;
    }

    void escape(std::string& text) {
        const char c = peek(1);
        at_ = std::min(at_ + 2, code_.size());
        switch (c) {
            case 'n':
                text += '\n';
                break;
            case 't':
                text += '\t';
                break;
            case 'r':
                text += '\r';
                break;
            case '\n':
                break;
            case '\\':
            case '\'':
            case '"':
                text += c;
                break;
            case 'x':
                code_point(text, 2);
                break;
            case 'u':
                code_point(text, 4);
                break;
            case 'U':
                code_point(text, 8);
                break;
            default:
                text += '\\';  // as Python does with escapes that it does not know
                text += c;
        }
    }

    void code_point(std::string& text, std::size_t n_digits) {
        const std::string_view digits = code_.substr(std::min(at_, code_.size()), n_digits);
        std::uint32_t value = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        const bool whole = digits.size() == n_digits && read.ptr == digits.data() + digits.size();
        ok_ = ok_ && whole && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
        at_ += digits.size();
        if (ok_) append_utf8(text, static_cast<char32_t>(value));
    }

    static std::string quoted(std::string_view text) {
        return boost::json::serialize(boost::json::string(text));
    }

    std::string_view code_;
    const std::vector<OfferedTool>& tools_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

}  // namespace

std::vector<ParsedToolCall> parse_code_calls(std::string_view code,
                                             const std::vector<OfferedTool>& tools) {
    return CodeReader(code, tools).calls();
}

}  // namespace notso::services
