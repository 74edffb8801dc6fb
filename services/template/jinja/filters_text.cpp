// Filters on text: case, white space, replacing, joining, wrapping.
#include <algorithm>
#include <cmath>

#include "base/utf8.hpp"
#include "services/template/jinja/args.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/jinja/sequence_ops.hpp"
#include "services/template/jinja/text_ops.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {
namespace {

template <std::string (*Convert)(std::string_view)>
Result<Value> converted_text(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"filter", {}}));
    NOTSO_TRY(const auto text, interpreter.string_of(value));
    return like(text, Convert(text.text()));
}

// The filter counts other word beginnings than str.title(): hyphens, brackets and white space.
std::string title_words(std::string_view text) {
    const auto separates = [](char32_t c) {
        return unicode::has(c, unicode::kSpace) || c == '-' || c == '(' || c == '{' || c == '[' ||
               c == '<';
    };
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        const DecodedCodePoint first = decode_utf8(text.substr(at));
        std::size_t end = at + first.size;
        while (end < text.size()) {
            const DecodedCodePoint next = decode_utf8(text.substr(end));
            if (separates(next.value) != separates(first.value)) break;
            end += next.size;
        }
        out += unicode::upper(text.substr(at, first.size));
        out += unicode::lower(text.substr(at + first.size, end - at - first.size));
        at = end;
    }
    return out;
}

Result<Value> filter_string(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"string", {}}));
    return interpreter.string_of(value);
}

Result<Value> filter_trim(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"trim", {"chars"}}));
    NOTSO_TRY(const auto text, interpreter.string_of(value));
    if (!bound.set(0))
        return like(text, std::string(unicode::strip(text.text(), unicode::Side::kBoth)));
    NOTSO_TRY(const auto given, bound.text(0, ""));
    const std::u32string chars = unicode::character_set(given);
    return like(text, std::string(unicode::strip(text.text(), unicode::Side::kBoth, &chars)));
}

Result<Value> filter_replace(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"replace", {"old", "new", "count"}, 2}));
    NOTSO_TRY(const std::int64_t count,
              bound.set(2) ? bound.integer(2, -1) : Result<std::int64_t>(-1));
    const bool markup = interpreter.auto_escape() &&
                        (value.is_markup() || bound[0].is_markup() || bound[1].is_markup());
    const auto part = [&](const Value& piece) {
        return markup ? interpreter.escaped(piece) : interpreter.text_of(piece);
    };
    NOTSO_TRY(const auto text, part(value));
    NOTSO_TRY(const auto old_text, part(bound[0]));
    NOTSO_TRY(const auto new_text, part(bound[1]));
    NOTSO_TRY(auto out, replace_text(interpreter, text, {old_text, new_text, count}));
    return markup ? Value::markup(std::move(out)) : Value::string(std::move(out));
}

Result<Value> filter_join(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"join", {"d", "attribute"}}));
    NOTSO_TRY(auto items, interpreter.iterate(value));
    if (bound.set(1)) {
        NOTSO_TRY(items, map_attribute(interpreter, *items, bound[1]));
    }
    const Value separator = bound.has(0) ? bound[0] : Value::string("");
    bool markup = separator.is_markup();
    for (const Value& item : items->items) markup = markup || item.is_markup();
    markup = markup && interpreter.auto_escape();
    NOTSO_TRY(const auto between,
              markup ? interpreter.escaped(separator) : interpreter.text_of(separator));
    TextBuilder out = interpreter.builder();
    bool first = true;
    for (const Value& item : items->items) {
        if (!std::exchange(first, false)) out.add(between);
        if (out.full()) break;
        NOTSO_CHECK(interpreter.spend());
        if (markup) {
            NOTSO_TRY(const auto text, interpreter.escaped(item));
            out.add(text);
        } else {
            write_str(out, item);
        }
    }
    NOTSO_TRY(auto text, std::move(out).finish());
    return markup ? Value::markup(std::move(text)) : Value::string(std::move(text));
}

Result<Value> filter_center(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"center", {"width"}}));
    NOTSO_TRY(const std::int64_t width, bound.integer(0, 80));
    NOTSO_TRY(const auto text, interpreter.string_of(value));
    NOTSO_TRY(auto out, pad_text(interpreter, text, {width, Align::kCenter}));
    return like(text, std::move(out));
}

Result<Value> filter_indent(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"indent", {"width", "first", "blank"}}));
    if (!value.is_string())
        return fail(
            ErrorCode::kInvalidArgument, "indent works on strings, not '{}'", value.type_name());
    TextBuilder margin = interpreter.builder();
    if (bound.has(0) && bound[0].is_string()) {
        margin.add(bound[0].text());
    } else {
        NOTSO_TRY(const std::int64_t width, bound.integer(0, 4));
        margin.add_repeated(" ", width);
    }
    NOTSO_TRY(const auto indent, std::move(margin).finish());
    const bool blank = bound.truth(2, false);
    TextBuilder out = interpreter.builder();
    if (bound.truth(1, false)) out.add(indent);
    bool first = true;
    const std::string text_and_break = std::string(value.text()) + "\n";
    for (const std::string_view line : split_lines(text_and_break)) {
        if (!first) out.add('\n');
        if (!first && (blank || !line.empty())) out.add(indent);
        first = false;
        out.add(line);
        if (out.full()) break;
    }
    NOTSO_TRY(auto text, std::move(out).finish());
    return like(value, std::move(text));
}

Result<Value> filter_truncate(Interpreter&, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"truncate", {"length", "killwords", "end", "leeway"}}));
    const bool fraction = bound.has(0) && bound[0].is_float();  // good only for comparing
    NOTSO_TRY(const std::int64_t length,
              fraction ? Result<std::int64_t>(static_cast<std::int64_t>(
                             std::clamp(std::floor(bound[0].as_double()), -1e9, 1e9)))
                       : bound.integer(0, 255));
    NOTSO_TRY(const std::string end, bound.text(2, "..."));
    NOTSO_TRY(const std::int64_t leeway,
              bound.set(3) ? bound.integer(3, 5) : Result<std::int64_t>(5));
    const auto end_length = static_cast<std::int64_t>(unicode::count_code_points(end));
    if (length < end_length || leeway < 0) {
        return fail(ErrorCode::kInvalidArgument,
                    "truncate: the length must hold '{}', and leeway be positive",
                    end);
    }
    NOTSO_TRY(const std::int64_t have, length_of(value));
    if (have - leeway <= length) return value;
    if (fraction)
        return fail(ErrorCode::kInvalidArgument, "truncate: the length must be an integer");
    if (!value.is_string())
        return fail(
            ErrorCode::kInvalidArgument, "truncate works on strings, not '{}'", value.type_name());
    const Value& text = value;
    std::string_view head = text.text().substr(
        0, unicode::byte_offset(text.text(), static_cast<std::size_t>(length - end_length)));
    if (!bound.truth(1, false)) head = head.substr(0, head.rfind(' '));
    return like(text, std::string(head) + end);
}

Result<Value> filter_wordcount(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"wordcount", {}}));
    NOTSO_TRY(const auto text, interpreter.text_of(value));
    std::int64_t words = 0;
    bool in_word = false;
    for (const char32_t c : unicode::decode(text)) {
        const bool letter = c == '_' || unicode::has(c, unicode::kAlnum);
        if (letter && !in_word) ++words;
        in_word = letter;
    }
    return Value::integer(words);
}

constexpr NamedFilter kTextFilters[] = {
    {"string", filter_string},
    {"upper", converted_text<unicode::upper>},
    {"lower", converted_text<unicode::lower>},
    {"capitalize", converted_text<unicode::capitalize>},
    {"title", converted_text<title_words>},
    {"trim", filter_trim},
    {"replace", filter_replace},
    {"join", filter_join},
    {"center", filter_center},
    {"indent", filter_indent},
    {"truncate", filter_truncate},
    {"wordcount", filter_wordcount},
};

}  // namespace

std::span<const NamedFilter> text_filters() { return kTextFilters; }

}  // namespace notso::services::jinja
