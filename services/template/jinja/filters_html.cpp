// Filters for HTML and addresses: escape, safe, striptags, urlencode, xmlattr.
#include <charconv>

#include "base/utf8.hpp"
#include "services/template/jinja/args.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/jinja/text_ops.hpp"

namespace notso::services::jinja {
namespace {

Result<Value> filter_escape(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"escape", {}}));
    NOTSO_TRY(auto text, interpreter.escaped(value));
    return Value::markup(std::move(text));
}

Result<Value> filter_forceescape(Interpreter& interpreter,
                                 const Value& value,
                                 const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"forceescape", {}}));
    NOTSO_TRY(auto text, interpreter.text_of(value));
    NOTSO_TRY(auto out, interpreter.escaped(Value::string(std::move(text))));
    return Value::markup(std::move(out));
}

Result<Value> filter_safe(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"safe", {}}));
    NOTSO_TRY(auto text, interpreter.text_of(value));
    return Value::markup(std::move(text));
}

enum class Place : std::uint8_t { kPath, kQuery };

std::string quote(std::string_view text, Place place) {
    constexpr std::string_view kPlain = "_.-~";
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || kPlain.find(c) != std::string_view::npos ||
            (place == Place::kPath && c == '/')) {
            out += c;
        } else if (place == Place::kQuery && c == ' ') {
            out += '+';
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += {'%', kHex[byte >> 4], kHex[byte & 0xF]};
        }
    }
    return out;
}

Result<std::string> quote_for_query(Interpreter& interpreter, const Value& value) {
    NOTSO_TRY(const auto text, interpreter.text_of(value));
    return quote(text, Place::kQuery);
}

Result<Value> filter_urlencode(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"urlencode", {}}));
    const bool plain = !value.is_dict() && !value.is_sequence() && !value.is_object();
    if (plain) {
        NOTSO_TRY(const auto text, interpreter.text_of(value));
        return Value::string(quote(text, Place::kPath));
    }
    Value pairs = value;
    if (value.is_dict()) pairs = make_object<DictView>(value.dict_ref(), DictView::Kind::kItems);
    NOTSO_TRY(const auto items, interpreter.iterate(pairs));
    TextBuilder out = interpreter.builder();
    for (const Value& pair : items->items) {
        NOTSO_TRY(const auto parts, interpreter.iterate(pair));
        if (parts->items.size() != 2)
            return fail(ErrorCode::kInvalidArgument, "urlencode takes pairs of key and value");
        NOTSO_TRY(const auto key, quote_for_query(interpreter, parts->items[0]));
        NOTSO_TRY(const auto item, quote_for_query(interpreter, parts->items[1]));
        if (out.size() != 0) out.add('&');
        out.add(key);
        out.add('=');
        out.add(item);
    }
    NOTSO_TRY(auto text, std::move(out).finish());
    return Value::string(std::move(text));
}

std::string without_comments(std::string_view text) {
    std::string out;
    while (true) {
        const std::size_t open = text.find("<!--");
        const std::size_t close =
            open == std::string_view::npos ? open : text.find("-->", open + 4);
        if (close == std::string_view::npos) return out.append(text);
        out.append(text.substr(0, open));
        text.remove_prefix(close + 3);
    }
}

std::string without_tags(std::string_view text) {
    std::string out;
    while (true) {
        const std::size_t open = text.find('<');
        const std::size_t close = open == std::string_view::npos ? open : text.find('>', open + 1);
        if (close == std::string_view::npos) return out.append(text);
        out.append(text.substr(0, open));
        text.remove_prefix(close + 1);
    }
}

// A character reference at the start of `text` (behind its &), as Python's html.unescape reads it;
// the commonest names only. Gives how long it is, 0 for none.
std::size_t read_reference(std::string_view text, std::string& out) {
    constexpr std::pair<std::string_view, std::string_view> kNames[] = {{"amp", "&"},
                                                                        {"AMP", "&"},
                                                                        {"lt", "<"},
                                                                        {"LT", "<"},
                                                                        {"gt", ">"},
                                                                        {"GT", ">"},
                                                                        {"quot", "\""},
                                                                        {"QUOT", "\""},
                                                                        {"nbsp", "\u00a0"},
                                                                        {"apos;", "'"}};
    for (const auto& [name, meaning] : kNames) {
        if (!text.starts_with(name)) continue;
        out += meaning;
        return name.size() + (text.substr(name.size()).starts_with(';') ? 1 : 0);
    }
    if (!text.starts_with('#')) return 0;
    const bool hex = text.size() > 1 && (text[1] == 'x' || text[1] == 'X');
    const std::size_t begin = hex ? 2 : 1;
    std::uint32_t number = 0;
    const auto* first = text.data() + std::min(begin, text.size());
    const auto read = std::from_chars(first, text.data() + text.size(), number, hex ? 16 : 10);
    if (read.ptr == first) return 0;
    const bool valid = read.ec == std::errc{} && number != 0 && number <= 0x10FFFF &&
                       (number < 0xD800 || number > 0xDFFF);
    append_utf8(out, valid ? static_cast<char32_t>(number) : U'\uFFFD');
    const auto size = static_cast<std::size_t>(read.ptr - text.data());
    return size + (text.substr(size).starts_with(';') ? 1 : 0);
}

std::string unescape(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t mark = std::min(text.find('&'), text.size());
        out += text.substr(0, mark);
        text.remove_prefix(mark);
        if (text.empty()) break;
        text.remove_prefix(1);
        const std::size_t size = read_reference(text, out);
        if (size == 0) out += '&';
        text.remove_prefix(size);
    }
    return out;
}

Result<Value> filter_striptags(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"striptags", {}}));
    NOTSO_TRY(const auto text, interpreter.text_of(value));
    const std::string plain = without_tags(without_comments(text));
    std::string out;
    for (const std::string_view word : split_words(plain)) {
        if (!out.empty()) out += ' ';
        out += word;
    }
    return Value::string(unescape(out));
}

Result<Value> filter_xmlattr(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"xmlattr", {"autospace"}}));
    if (!value.is_dict()) {
        return fail(
            ErrorCode::kInvalidArgument, "xmlattr works on a dict, not '{}'", value.type_name());
    }
    TextBuilder out = interpreter.builder();
    for (const auto& [key, item] : value.as_dict().entries()) {
        if (item.is_none() || item.is_undefined()) continue;
        if (!key.is_string())
            return fail(ErrorCode::kInvalidArgument,
                        "xmlattr: a name is a string, not '{}'",
                        key.type_name());
        const std::string_view name = key.text();
        if (name.find_first_of(" \t\n\r\f\v/>=") != std::string::npos) {
            return fail(
                ErrorCode::kInvalidArgument, "xmlattr: '{}' is no name of an attribute", name);
        }
        NOTSO_TRY(const auto escaped_name, interpreter.escaped(key));
        NOTSO_TRY(const auto escaped_value, interpreter.escaped(item));
        if (out.size() != 0 || bound.truth(0, true)) out.add(' ');
        out.add(fmt::format("{}=\"{}\"", escaped_name, escaped_value));
    }
    NOTSO_TRY(auto text, std::move(out).finish());
    return interpreter.auto_escape() ? Value::markup(std::move(text))
                                     : Value::string(std::move(text));
}

constexpr NamedFilter kHtmlFilters[] = {
    {"escape", filter_escape},
    {"e", filter_escape},
    {"forceescape", filter_forceescape},
    {"safe", filter_safe},
    {"urlencode", filter_urlencode},
    {"striptags", filter_striptags},
    {"xmlattr", filter_xmlattr},
};

}  // namespace

std::span<const NamedFilter> html_filters() { return kHtmlFilters; }

}  // namespace notso::services::jinja
