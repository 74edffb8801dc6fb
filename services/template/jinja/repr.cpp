// str() and repr() of values, exactly as Python prints them; see text.hpp.
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/utf8.hpp"
#include "services/template/jinja/object.hpp"
#include "services/template/jinja/text.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {
namespace {

std::string escape_of(char32_t c) {
    if (c == '\n') return "\\n";
    if (c == '\r') return "\\r";
    if (c == '\t') return "\\t";
    const auto number = static_cast<std::uint32_t>(c);
    if (c < 0x100) return fmt::format("\\x{:02x}", number);
    return c < 0x10000 ? fmt::format("\\u{:04x}", number) : fmt::format("\\U{:08x}", number);
}

}  // namespace

void TextBuilder::add_repeated(std::string_view text, std::int64_t times) {
    if (times <= 0 || text.empty()) return;
    if (static_cast<std::uint64_t>(times) > (limit_ - text_.size()) / text.size()) {
        full_ = true;
        return;
    }
    const auto count = static_cast<std::size_t>(times);
    if (text.size() == 1) {
        text_.append(count, text[0]);
        return;
    }
    text_.reserve(text_.size() + text.size() * count);
    for (std::size_t i = 0; i < count; ++i) text_.append(text);
}

Result<std::string> TextBuilder::finish() && {
    if (full_)
        return fail(ErrorCode::kTooLarge,
                    "a text grows over the limit of {} bytes, or nests too deep",
                    limit_);
    return std::move(text_);
}

std::string float_repr(double number) {
    if (std::isnan(number)) return "nan";
    if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
    char buffer[40];
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific).ptr;
    const std::string_view shortest(buffer, static_cast<std::size_t>(end - buffer));
    const std::size_t e = shortest.find('e');
    const int exponent = std::atoi(std::string(shortest.substr(e + 1)).c_str());
    if (exponent < -4 || exponent >= 16) return std::string(shortest);
    const auto fixed_end =
        std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::fixed).ptr;
    std::string fixed(buffer, static_cast<std::size_t>(fixed_end - buffer));
    if (fixed.find('.') == std::string::npos) fixed += ".0";
    return fixed;
}

void write_string_repr(TextBuilder& out, std::string_view text) {
    const bool double_quoted =
        text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
    const char quote = double_quoted ? '"' : '\'';
    out.add(quote);
    while (!text.empty() && !out.full()) {
        const DecodedCodePoint next = decode_utf8(text);
        if (next.value == static_cast<char32_t>(quote) || next.value == '\\') {
            out.add('\\');
            out.add(text.substr(0, next.size));
        } else if (unicode::has(next.value, unicode::kPrintable)) {
            out.add(text.substr(0, next.size));
        } else {
            out.add(escape_of(next.value));
        }
        text.remove_prefix(next.size);
    }
    out.add(quote);
}

std::string ascii_of(std::string_view repr) {
    std::string out;
    while (!repr.empty()) {
        const DecodedCodePoint next = decode_utf8(repr);
        if (next.value < 0x80) {
            out += repr.substr(0, next.size);
        } else {
            out += escape_of(next.value);
        }
        repr.remove_prefix(next.size);
    }
    return out;
}

void write_items_repr(TextBuilder& out, const std::vector<Value>& items) {
    bool first = true;
    for (const Value& item : items) {
        if (out.full()) return;
        if (!first) out.add(", ");
        first = false;
        write_repr(out, item);
    }
}

void write_dict_repr(TextBuilder& out, const Dict& dict) {
    out.add("{");
    bool first = true;
    for (const auto& [key, value] : dict.entries()) {
        if (out.full()) return;
        if (!first) out.add(", ");
        first = false;
        write_repr(out, key);
        out.add(": ");
        write_repr(out, value);
    }
    out.add("}");
}

namespace {

void write_container_repr(TextBuilder& out, const Value& value) {
    if (value.is_object()) return value.as_object().write_repr(out);
    if (value.is_dict()) return write_dict_repr(out, value.as_dict());
    out.add(value.is_list() ? "[" : "(");
    write_items_repr(out, value.items());
    if (!value.is_list() && value.items().size() == 1) out.add(",");
    out.add(value.is_list() ? "]" : ")");
}

}  // namespace

void write_repr(TextBuilder& out, const Value& value) {
    if (value.is_undefined()) return out.add("Undefined");
    if (value.is_string() && !value.is_markup()) return write_string_repr(out, value.text());
    if (value.is_string()) {
        out.add("Markup(");
        write_string_repr(out, value.text());
        return out.add(")");
    }
    if (!value.is_sequence() && !value.is_dict() && !value.is_object())
        return write_str(out, value);
    out.enter();
    if (!out.full()) write_container_repr(out, value);
    out.leave();
}

void write_str(TextBuilder& out, const Value& value) {
    switch (value.type()) {
        case Value::Type::kUndefined:
            return;
        case Value::Type::kNone:
            return out.add("None");
        case Value::Type::kBool:
            return out.add(value.as_bool() ? "True" : "False");
        case Value::Type::kInt:
            return out.add(fmt::format_int(value.as_int()).c_str());
        case Value::Type::kFloat:
            return out.add(float_repr(value.as_double()));
        case Value::Type::kString:
            return out.add(value.text());
        default:
            return write_repr(out, value);
    }
}

std::string short_str(const Value& value) {
    constexpr std::size_t kShort = 1024;
    if (value.is_string()) return std::string(value.text());
    TextBuilder out(kShort);
    write_str(out, value);
    auto text = std::move(out).finish();
    return text ? *std::move(text) : std::string("…");
}

void write_escaped(TextBuilder& out, std::string_view text) {
    std::size_t from = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string_view entity;
        switch (text[i]) {
            case '&':
                entity = "&amp;";
                break;
            case '<':
                entity = "&lt;";
                break;
            case '>':
                entity = "&gt;";
                break;
            case '"':
                entity = "&#34;";
                break;
            case '\'':
                entity = "&#39;";
                break;
            default:
                continue;
        }
        out.add(text.substr(from, i - from));
        out.add(entity);
        from = i + 1;
    }
    out.add(text.substr(from));
}

}  // namespace notso::services::jinja
