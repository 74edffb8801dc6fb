// Source positions, token names and string literals; see lexer.hpp.
#include <charconv>

#include "base/utf8.hpp"
#include "services/template/jinja/lexer.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {
namespace {

// One escape at text[0] == '\\'; appends what it stands for and returns its length, or 0 when it is
// broken.
class EscapeReader {
  public:
    EscapeReader(std::string_view text, std::string& out) : text_(text), out_(out) {}

    std::size_t read() {
        if (text_.size() < 2) return 0;
        const char c = text_[1];
        constexpr std::string_view kLetters = "\\'\"abfnrtv\n";
        constexpr std::string_view kMeanings("\\'\"\a\b\f\n\r\t\v", 10);
        if (const std::size_t letter = kLetters.find(c); letter != std::string_view::npos) {
            if (c != '\n') out_ += kMeanings[letter];
            return 2;
        }
        if (c >= '0' && c <= '7') return read_octal();
        if (c == 'x') return read_hex(2);
        if (c == 'u') return read_hex(4);
        if (c == 'U') return read_hex(8);
        if (c == 'N') return 0;
        return read_unknown();
    }

  private:
    std::size_t read_octal() {
        std::size_t end = 1;
        while (end < text_.size() && end < 4 && text_[end] >= '0' && text_[end] <= '7') ++end;
        std::uint32_t number = 0;
        std::from_chars(text_.data() + 1, text_.data() + end, number, 8);
        append_utf8(out_, number);
        return end;
    }

    std::size_t read_hex(std::size_t digits) {
        if (text_.size() < 2 + digits) return 0;
        std::uint32_t number = 0;
        const char* end = text_.data() + 2 + digits;
        const auto read = std::from_chars(text_.data() + 2, end, number, 16);
        if (read.ptr != end || number > 0x10FFFF) return 0;
        append_utf8(out_, number);
        return 2 + digits;
    }

    // Python keeps the backslash. Jinja hands it non-ASCII characters as escapes of their own, so
    // that a backslash before one turns it into the text of that escape.
    std::size_t read_unknown() {
        const DecodedCodePoint next = decode_utf8(text_.substr(1));
        out_ += '\\';
        const auto number = static_cast<std::uint32_t>(next.value);
        if (number < 0x80) {
            out_ += text_[1];
        } else if (number < 0x100) {
            out_ += fmt::format("x{:02x}", number);
        } else {
            out_ +=
                number < 0x10000 ? fmt::format("u{:04x}", number) : fmt::format("U{:08x}", number);
        }
        return 1 + next.size;
    }

    std::string_view text_;
    std::string& out_;
};

}  // namespace

SourceText::SourceText(std::string_view source, std::string template_name)
    : name(std::move(template_name)) {
    text.reserve(source.size());
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source[i] != '\r') {
            text += source[i];
            continue;
        }
        text += '\n';
        if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    }
    if (text.ends_with('\n')) text.pop_back();
}

std::string SourceText::describe(std::size_t at) const {
    const std::string_view before = std::string_view(text).substr(0, at);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t column =
        unicode::count_code_points(before.substr(before.rfind('\n') + 1)) + 1;
    if (name.empty()) return fmt::format("line {}, column {}", line, column);
    return fmt::format("template \"{}\", line {}, column {}", name, line, column);
}

Error SourceText::error(std::size_t at, std::string_view message, ErrorCode code) const {
    return Error{code, fmt::format("{}: {}", describe(at), message)};
}

Result<std::string> decode_string_literal(std::string_view body) {
    std::string out;
    out.reserve(body.size());
    while (!body.empty()) {
        const std::size_t plain = std::min(body.find('\\'), body.size());
        out.append(body.substr(0, plain));
        body.remove_prefix(plain);
        if (body.empty()) break;
        const std::size_t used = EscapeReader(body, out).read();
        if (used == 0) {
            return fail(ErrorCode::kInvalidArgument,
                        "the string has a broken escape '{}'",
                        body.substr(0, 2));
        }
        body.remove_prefix(used);
    }
    return out;
}

std::string_view token_name(TokenKind kind) {
    constexpr std::string_view kNames[] = {
        "template text", "'{{'",       "'}}'",    "'{%'", "'%}'", "a name",
        "a string",      "an integer", "a float", "'+'",  "'-'",  "'*'",
        "'/'",           "'//'",       "'%'",     "'**'", "'~'",  "'['",
        "']'",           "'('",        "')'",     "'{'",  "'}'",  "'=='",
        "'!='",          "'>'",        "'>='",    "'<'",  "'<='", "'='",
        "'.'",           "':'",        "'|'",     "','",  "';'",  "the end of the template"};
    return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace notso::services::jinja
