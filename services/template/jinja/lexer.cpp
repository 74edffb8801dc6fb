// The tokenizer; see lexer.hpp. Outside of tags it looks for the next tag; inside it reads one
// token at a time.
#include "services/template/jinja/lexer.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/utf8.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {
namespace {

std::size_t skip_space(std::string_view text, std::size_t at) {
    return text.size() - unicode::strip(text.substr(at), unicode::Side::kLeft).size();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct OperatorText {
    std::string_view text;
    TokenKind kind;
};
// Longer ones first.
constexpr OperatorText kOperators[] = {
    {"//", TokenKind::kFloorDiv},   {"**", TokenKind::kPow},         {"==", TokenKind::kEq},
    {"!=", TokenKind::kNe},         {">=", TokenKind::kGe},          {"<=", TokenKind::kLe},
    {"+", TokenKind::kAdd},         {"-", TokenKind::kSub},          {"/", TokenKind::kDiv},
    {"*", TokenKind::kMul},         {"%", TokenKind::kMod},          {"~", TokenKind::kTilde},
    {"[", TokenKind::kLeftBracket}, {"]", TokenKind::kRightBracket}, {"(", TokenKind::kLeftParen},
    {")", TokenKind::kRightParen},  {"{", TokenKind::kLeftBrace},    {"}", TokenKind::kRightBrace},
    {">", TokenKind::kGt},          {"<", TokenKind::kLt},           {"=", TokenKind::kAssign},
    {".", TokenKind::kDot},         {":", TokenKind::kColon},        {"|", TokenKind::kPipe},
    {",", TokenKind::kComma},       {";", TokenKind::kSemicolon},
};

class Lexer {
  public:
    Lexer(const SourceText& source, const LexerOptions& options)
        : source_(source), text_(source.text), options_(options) {}

    Result<std::vector<Token>> run() {
        while (at_ < text_.size()) NOTSO_CHECK(lex_data());
        push(TokenKind::kEnd, at_);
        return std::move(tokens_);
    }

  private:
    Result<void> lex_data();
    Result<void> lex_comment(std::size_t begin);
    std::optional<std::size_t> match_raw_begin(std::size_t tag) const;
    Result<void> lex_raw(std::size_t begin);
    std::size_t match_raw_end(std::size_t tag) const;
    Result<void> lex_code(std::size_t begin, bool block);
    std::size_t match_code_end(bool block) const;
    Result<void> lex_token();
    Result<void> lex_number();
    Result<void> lex_integer(std::size_t end, int base);
    Result<bool> lex_name();
    Result<void> lex_string();
    Result<void> lex_operator();
    Result<void> track_brackets(TokenKind kind);

    std::size_t scan_digits(std::size_t at) const;
    void push(TokenKind kind, std::size_t at) {
        tokens_.push_back({kind, static_cast<std::uint32_t>(at)});
    }
    void push_data(std::size_t end, char sign, bool may_lstrip);
    bool starts_with(std::size_t at, std::string_view what) const {
        return text_.substr(at).starts_with(what);
    }
    char sign_at(std::size_t at) const {
        return at < text_.size() && (text_[at] == '-' || text_[at] == '+') ? text_[at] : '\0';
    }
    std::unexpected<Error> error(std::size_t at, std::string_view message) const {
        return std::unexpected(source_.error(at, message));
    }

    const SourceText& source_;
    std::string_view text_;
    LexerOptions options_;
    std::size_t at_ = 0;
    std::vector<Token> tokens_;
    std::string brackets_;  // closing brackets that are still to come
};

// Emits text_[at_, end) as data, after the white space control of the tag that follows.
void Lexer::push_data(std::size_t end, char sign, bool may_lstrip) {
    std::string_view data = text_.substr(at_, end - at_);
    if (sign == '-') {
        data = unicode::strip(data, unicode::Side::kRight);
    } else if (sign != '+' && may_lstrip && options_.lstrip_blocks) {
        const std::size_t line = data.rfind('\n') + 1;
        const bool at_line_start = line > 0 || at_ == 0 || text_[at_ - 1] == '\n';
        if (at_line_start && unicode::strip(data.substr(line), unicode::Side::kLeft).empty()) {
            data = data.substr(0, line);
        }
    }
    if (data.empty()) return;
    push(TokenKind::kData, at_);
    tokens_.back().text = data;
}

Result<void> Lexer::lex_data() {
    std::size_t tag = at_;
    for (;; ++tag) {
        tag = text_.find('{', tag);
        if (tag == std::string_view::npos || tag + 1 >= text_.size()) {
            push_data(text_.size(), '+', false);
            at_ = text_.size();
            return {};
        }
        const char next = text_[tag + 1];
        if (next == '{' || next == '%' || next == '#') break;
    }
    const char sign = sign_at(tag + 2);
    const char type = text_[tag + 1];
    push_data(tag, sign, type != '{');
    const std::size_t inside = tag + 2 + (sign != '\0' ? 1 : 0);
    if (type == '#') return lex_comment(inside);
    if (type == '%') {
        if (const auto raw = match_raw_begin(tag)) return lex_raw(*raw);
    }
    push(type == '{' ? TokenKind::kVariableBegin : TokenKind::kBlockBegin, tag);
    return lex_code(inside, type == '%');
}

Result<void> Lexer::lex_comment(std::size_t begin) {
    if (begin == text_.size()) {  // Python stops before it looks into it
        at_ = begin;
        return {};
    }
    const std::size_t end = text_.find("#}", begin);
    if (end == std::string_view::npos) return error(begin - 2, "missing end of comment tag");
    at_ = end + 2;
    const char before = end > begin ? text_[end - 1] : '\0';
    if (before == '-') {
        at_ = skip_space(text_, at_);
    } else if (before != '+' && options_.trim_blocks && starts_with(at_, "\n")) {
        ++at_;
    }
    return {};
}

std::optional<std::size_t> Lexer::match_raw_begin(std::size_t tag) const {
    std::size_t at = tag + 2;
    if (sign_at(at) != '\0') ++at;
    at = skip_space(text_, at);
    if (!starts_with(at, "raw")) return std::nullopt;
    at = skip_space(text_, at + 3);
    if (starts_with(at, "-%}")) return skip_space(text_, at + 3);
    return starts_with(at, "%}") ? std::optional(at + 2) : std::nullopt;
}

// The place behind the endraw tag that begins at `tag`; 0 when it is another tag.
std::size_t Lexer::match_raw_end(std::size_t tag) const {
    std::size_t at = tag + 2;
    if (sign_at(at) != '\0') ++at;
    at = skip_space(text_, at);
    if (!starts_with(at, "endraw")) return 0;
    at = skip_space(text_, at + 6);
    if (starts_with(at, "+%}")) return at + 3;
    if (starts_with(at, "-%}")) return skip_space(text_, at + 3);
    if (!starts_with(at, "%}")) return 0;
    return at + (options_.trim_blocks && starts_with(at + 2, "\n") ? 3 : 2);
}

Result<void> Lexer::lex_raw(std::size_t begin) {
    at_ = begin;
    if (begin == text_.size()) return {};  // Python stops before it looks for the end
    for (std::size_t tag = begin;; ++tag) {
        tag = text_.find("{%", tag);
        if (tag == std::string_view::npos) return error(begin, "missing end of raw block");
        if (const std::size_t behind = match_raw_end(tag)) {
            push_data(tag, sign_at(tag + 2), true);
            at_ = behind;
            return {};
        }
    }
}

// The place behind the closing tag at at_, or 0. Inside brackets there is none.
std::size_t Lexer::match_code_end(bool block) const {
    if (!brackets_.empty()) return 0;
    const std::string_view close = block ? "%}" : "}}";
    if (starts_with(at_, "-") && starts_with(at_ + 1, close)) return skip_space(text_, at_ + 3);
    if (block && starts_with(at_, "+%}")) return at_ + 3;
    if (!starts_with(at_, close)) return 0;
    return at_ + (block && options_.trim_blocks && starts_with(at_ + 2, "\n") ? 3 : 2);
}

Result<void> Lexer::lex_code(std::size_t begin, bool block) {
    at_ = begin;
    while (at_ < text_.size()) {
        if (const std::size_t behind = match_code_end(block)) {
            push(block ? TokenKind::kBlockEnd : TokenKind::kVariableEnd, at_);
            at_ = behind;
            return {};
        }
        const std::size_t word = skip_space(text_, at_);
        if (word != at_) {
            at_ = word;
        } else {
            NOTSO_CHECK(lex_token());
        }
    }
    return {};
}

Result<void> Lexer::lex_token() {
    const char c = text_[at_];
    if (is_digit(c)) return lex_number();
    NOTSO_TRY(const bool name, lex_name());
    if (name) return {};
    return c == '"' || c == '\'' ? lex_string() : lex_operator();
}

// The end of digits with single underscores between them.
std::size_t Lexer::scan_digits(std::size_t at) const {
    while (at < text_.size() && is_digit(text_[at])) {
        ++at;
        if (at + 1 < text_.size() && text_[at] == '_' && is_digit(text_[at + 1])) ++at;
    }
    return at;
}

Result<void> Lexer::lex_number() {
    const std::size_t whole = scan_digits(at_);
    std::size_t end = whole;
    if (end + 1 < text_.size() && text_[end] == '.' && is_digit(text_[end + 1]))
        end = scan_digits(end + 1);
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
        const std::size_t digits = end + 1 + (sign_at(end + 1) != '\0' ? 1 : 0);
        if (digits < text_.size() && is_digit(text_[digits])) end = scan_digits(digits);
    }
    const bool after_dot = at_ > 0 && text_[at_ - 1] == '.';
    if (end != whole && !after_dot) {
        std::string digits(text_.substr(at_, end - at_));
        std::erase(digits, '_');
        push(TokenKind::kFloat, at_);
        std::from_chars(digits.data(), digits.data() + digits.size(), tokens_.back().real);
        at_ = end;
        return {};
    }
    const char kind = at_ + 1 < text_.size() ? static_cast<char>(text_[at_ + 1] | 0x20) : '\0';
    if (text_[at_] != '0' || (kind != 'b' && kind != 'o' && kind != 'x'))
        return lex_integer(whole, 10);
    const int base = kind == 'b' ? 2 : kind == 'o' ? 8 : 16;
    std::size_t prefixed = at_ + 2;
    const std::string_view digits =
        std::string_view("_0123456789abcdefABCDEF").substr(0, base == 16 ? 23 : base + 1);
    while (prefixed < text_.size() && digits.find(text_[prefixed]) != std::string_view::npos)
        ++prefixed;
    return prefixed == at_ + 2 ? lex_integer(at_ + 1, 10) : lex_integer(prefixed, base);
}

Result<void> Lexer::lex_integer(std::size_t end, int base) {
    std::string digits(text_.substr(at_, end - at_));
    std::erase(digits, '_');
    if (base == 10 && digits.size() > 1 && digits[0] == '0' &&
        digits.find_first_not_of('0') != std::string::npos) {
        return error(at_, "a number can't begin with 0");
    }
    if (base != 10) digits.erase(0, 2);
    push(TokenKind::kInteger, at_);
    const auto read =
        std::from_chars(digits.data(), digits.data() + digits.size(), tokens_.back().integer, base);
    if (read.ec != std::errc{}) return error(at_, "the number doesn't fit in 64 bits");
    at_ = end;
    return {};
}

Result<bool> Lexer::lex_name() {
    std::size_t end = at_;
    while (end < text_.size()) {
        const DecodedCodePoint next = decode_utf8(text_.substr(end));
        if (!next.valid || !unicode::has(next.value, unicode::kIdentifier)) break;
        end += next.size;
    }
    if (end == at_) return false;
    if (!unicode::has(decode_utf8(text_.substr(at_)).value, unicode::kIdentifierStart)) {
        return error(at_, "a name can't begin with this character");
    }
    push(TokenKind::kName, at_);
    tokens_.back().text = text_.substr(at_, end - at_);
    at_ = end;
    return true;
}

Result<void> Lexer::lex_string() {
    const char quote = text_[at_];
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) return error(at_, "the string is not closed");
    auto decoded = decode_string_literal(text_.substr(at_ + 1, end - at_ - 1));
    if (!decoded) return error(at_, decoded.error().detail);
    push(TokenKind::kString, at_);
    tokens_.back().text = *std::move(decoded);
    at_ = end + 1;
    return {};
}

Result<void> Lexer::lex_operator() {
    const auto found = std::find_if(
        std::begin(kOperators), std::end(kOperators), [&](const OperatorText& candidate) {
            return starts_with(at_, candidate.text);
        });
    if (found == std::end(kOperators)) {
        const std::size_t size = decode_utf8(text_.substr(at_)).size;
        return error(
            at_, fmt::format("unexpected character '{}'", repair_utf8(text_.substr(at_, size))));
    }
    NOTSO_CHECK(track_brackets(found->kind));
    push(found->kind, at_);
    at_ += found->text.size();
    return {};
}

Result<void> Lexer::track_brackets(TokenKind kind) {
    if (kind == TokenKind::kLeftBrace) brackets_ += '}';
    if (kind == TokenKind::kLeftParen) brackets_ += ')';
    if (kind == TokenKind::kLeftBracket) brackets_ += ']';
    const bool closes = kind == TokenKind::kRightBrace || kind == TokenKind::kRightParen ||
                        kind == TokenKind::kRightBracket;
    if (!closes) return {};
    if (brackets_.empty()) return error(at_, fmt::format("unexpected '{}'", text_[at_]));
    if (brackets_.back() != text_[at_]) {
        return error(at_,
                     fmt::format("unexpected '{}', expected '{}'", text_[at_], brackets_.back()));
    }
    brackets_.pop_back();
    return {};
}

}  // namespace

Result<std::vector<Token>> tokenize(const SourceText& source, const LexerOptions& options) {
    return Lexer(source, options).run();
}

}  // namespace notso::services::jinja
