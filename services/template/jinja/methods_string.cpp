// Methods of str that make new text: case, stripping, splitting, padding, joining.
#include "base/utf8.hpp"
#include "services/template/jinja/args.hpp"
#include "services/template/jinja/operators.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/jinja/text_ops.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {
namespace {

template <std::string (*Convert)(std::string_view)>
Result<Value> convert(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"str method", {}}));
    return like(self, Convert(self.text()));
}

template <unicode::Side Where>
Result<Value> strip(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"strip", {""}}));
    if (!bound.set(0)) return like(self, std::string(unicode::strip(self.text(), Where)));
    NOTSO_TRY(const auto given, bound.text(0, ""));
    const std::u32string chars = unicode::character_set(given);
    return like(self, std::string(unicode::strip(self.text(), Where, &chars)));
}

Result<Value> list_of(Interpreter& interpreter,
                      const Value& self,
                      const std::vector<std::string_view>& parts) {
    std::vector<Value> out;
    for (const std::string_view part : parts) {
        NOTSO_CHECK(interpreter.spend());
        out.push_back(like(self, std::string(part)));
    }
    return Value::list(std::move(out));
}

std::vector<std::string_view> split_by(std::string_view text,
                                       std::string_view separator,
                                       std::int64_t max_splits) {
    std::vector<std::string_view> parts;
    std::size_t at = 0;
    while (max_splits < 0 || static_cast<std::int64_t>(parts.size()) < max_splits) {
        const std::size_t found = find_text(text, separator, at);
        if (found == std::string_view::npos) break;
        parts.push_back(text.substr(at, found - at));
        at = found + separator.size();
    }
    parts.push_back(text.substr(at));
    return parts;
}

// Splits the mirrored text, so that the separators are taken from the right.
std::vector<std::string_view> rsplit_by(std::string_view text,
                                        std::string_view separator,
                                        std::int64_t max_splits) {
    const std::string mirrored(text.rbegin(), text.rend());
    const std::string needle(separator.rbegin(), separator.rend());
    std::vector<std::string_view> parts;
    std::size_t end = text.size();
    for (const std::string_view part : split_by(mirrored, needle, max_splits)) {
        parts.push_back(text.substr(end - part.size(), part.size()));
        end -= std::min(end, part.size() + separator.size());
    }
    std::reverse(parts.begin(), parts.end());
    return parts;
}

std::vector<std::string_view> rsplit_words(std::string_view text, std::int64_t max_splits) {
    const auto words = split_words(text);
    const auto count = static_cast<std::int64_t>(words.size());
    if (max_splits < 0 || count <= max_splits) return words;
    const auto kept = static_cast<std::size_t>(count - max_splits);
    std::vector<std::string_view> out;
    if (kept > 0) {
        const char* end = words[kept - 1].data() + words[kept - 1].size();
        out.emplace_back(text.data(), static_cast<std::size_t>(end - text.data()));
    }
    out.insert(out.end(), words.begin() + static_cast<std::ptrdiff_t>(kept), words.end());
    return out;
}

template <bool FromRight>
Result<Value> split(Interpreter& interpreter, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"split", {"sep", "maxsplit"}}));
    NOTSO_TRY(const std::int64_t max_splits, bound.integer(1, -1));
    NOTSO_CHECK(interpreter.spend(static_cast<std::int64_t>(self.text().size() / 8)));
    if (!bound.set(0)) {
        if (FromRight) return list_of(interpreter, self, rsplit_words(self.text(), max_splits));
        return list_of(interpreter,
                       self,
                       max_splits == 0 && self.text().empty()
                           ? std::vector<std::string_view>{}
                           : split_words(self.text(), max_splits));
    }
    NOTSO_TRY(const auto separator, bound.text(0, ""));
    if (separator.empty())
        return fail(ErrorCode::kInvalidArgument, "split: the separator is empty");
    return list_of(interpreter,
                   self,
                   FromRight ? rsplit_by(self.text(), separator, max_splits)
                             : split_by(self.text(), separator, max_splits));
}

Result<Value> splitlines(Interpreter& interpreter, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"splitlines", {"keepends"}}));
    NOTSO_TRY(const bool keep_ends, bound.flag(0));
    return list_of(interpreter, self, split_lines(self.text(), keep_ends));
}

template <bool FromRight>
Result<Value> partition(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"partition", {""}, 1}));
    NOTSO_TRY(const auto separator, bound.text(0, ""));
    if (separator.empty())
        return fail(ErrorCode::kInvalidArgument, "partition: the separator is empty");
    const std::string_view text = self.text();
    const std::size_t at = FromRight ? rfind_text(text, separator) : find_text(text, separator);
    const Value nothing = like(self, "");
    if (at == std::string_view::npos) {
        return FromRight ? Value::tuple({nothing, nothing, self})
                         : Value::tuple({self, nothing, nothing});
    }
    return Value::tuple({like(self, std::string(text.substr(0, at))),
                         like(self, separator),
                         like(self, std::string(text.substr(at + separator.size())))});
}

Result<Value> replace(Interpreter& interpreter, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"replace", {"", "", ""}, 2}));
    NOTSO_TRY(auto old_text, bound.text(0, ""));
    NOTSO_TRY(auto new_text, bound.text(1, ""));
    NOTSO_TRY(const std::int64_t count, bound.integer(2, -1));
    if (self.is_markup()) {
        NOTSO_TRY(old_text, interpreter.escaped(bound[0]));
        NOTSO_TRY(new_text, interpreter.escaped(bound[1]));
    }
    NOTSO_TRY(auto out, replace_text(interpreter, self.text(), {old_text, new_text, count}));
    return like(self, std::move(out));
}

template <Align Where>
Result<Value> pad(Interpreter& interpreter, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"center", {"", ""}, 1}));
    NOTSO_TRY(const std::int64_t width, bound.integer(0, 0));
    NOTSO_TRY(const auto fill, bound.text(1, " "));
    if (unicode::count_code_points(fill) != 1) {
        return fail(ErrorCode::kInvalidArgument, "the fill must be one character");
    }
    NOTSO_TRY(auto out, pad_text(interpreter, self, {width, Where, fill}));
    return like(self, std::move(out));
}

Result<Value> zfill(Interpreter& interpreter, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"zfill", {""}, 1}));
    NOTSO_TRY(const std::int64_t width, bound.integer(0, 0));
    NOTSO_TRY(auto out, pad_text(interpreter, self, {width, Align::kRight, "0"}));
    const std::string_view text = self.text();
    if ((text.starts_with('-') || text.starts_with('+')) && out.size() > text.size()) {
        out[out.size() - text.size()] = '0';
        out[0] = text[0];
    }
    return like(self, std::move(out));
}

Result<Value> join(Interpreter& interpreter, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"join", {""}, 1}));
    NOTSO_TRY(const auto items, interpreter.iterate(bound[0]));
    TextBuilder out = interpreter.builder();
    bool first = true;
    for (const Value& item : items->items) {
        if (!std::exchange(first, false)) out.add(self.text());
        if (out.full()) break;
        if (self.is_markup()) {
            NOTSO_TRY(const auto text, interpreter.escaped(item));
            out.add(text);
            continue;
        }
        if (!item.is_string()) {
            return fail(
                ErrorCode::kInvalidArgument, "join() takes strings, not '{}'", item.type_name());
        }
        out.add(item.text());
    }
    NOTSO_TRY(auto text, std::move(out).finish());
    return like(self, std::move(text));
}

template <bool Prefix>
Result<Value> remove_affix(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"removeprefix", {""}, 1}));
    NOTSO_TRY(const auto affix, bound.text(0, ""));
    std::string_view text = self.text();
    if (Prefix && text.starts_with(affix)) text.remove_prefix(affix.size());
    if (!Prefix && text.ends_with(affix)) text.remove_suffix(affix.size());
    return like(self, std::string(text));
}

Result<Value> expandtabs(Interpreter& interpreter, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"expandtabs", {"tabsize"}}));
    NOTSO_TRY(const std::int64_t size, bound.integer(0, 8));
    if (size > INT32_MAX || size < INT32_MIN)
        return fail(ErrorCode::kTooLarge, "expandtabs: {} columns", size);
    TextBuilder out = interpreter.builder();
    std::int64_t column = 0;
    for (std::string_view text = self.text(); !text.empty() && !out.full();) {
        const DecodedCodePoint next = decode_utf8(text);
        if (next.value == '\t') {
            const std::int64_t spaces = size > 0 ? size - column % size : 0;
            out.add_repeated(" ", spaces);
            column += spaces;
        } else {
            out.add(text.substr(0, next.size));
            column = next.value == '\n' || next.value == '\r' ? 0 : column + 1;
        }
        text.remove_prefix(next.size);
    }
    NOTSO_TRY(auto text, std::move(out).finish());
    return like(self, std::move(text));
}

Result<Value> format_map(Interpreter& interpreter, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"format_map", {""}, 1}));
    CallArgs named;
    if (!bound[0].is_dict()) {
        return fail(ErrorCode::kInvalidArgument,
                    "format_map() takes a dict, not '{}'",
                    bound[0].type_name());
    }
    for (const auto& [key, value] : bound[0].as_dict().entries()) {
        if (key.is_string()) named.named.emplace_back(key.text(), value);
    }
    return brace_format(interpreter, self, named);
}

constexpr NamedFilter kMethods[] = {
    {"upper", convert<unicode::upper>},
    {"lower", convert<unicode::lower>},
    {"title", convert<unicode::title>},
    {"capitalize", convert<unicode::capitalize>},
    {"swapcase", convert<unicode::swapcase>},
    {"casefold", convert<unicode::casefold>},
    {"strip", strip<unicode::Side::kBoth>},
    {"lstrip", strip<unicode::Side::kLeft>},
    {"rstrip", strip<unicode::Side::kRight>},
    {"split", split<false>},
    {"rsplit", split<true>},
    {"splitlines", splitlines},
    {"partition", partition<false>},
    {"rpartition", partition<true>},
    {"replace", replace},
    {"center", pad<Align::kCenter>},
    {"ljust", pad<Align::kLeft>},
    {"rjust", pad<Align::kRight>},
    {"zfill", zfill},
    {"join", join},
    {"removeprefix", remove_affix<true>},
    {"removesuffix", remove_affix<false>},
    {"expandtabs", expandtabs},
    {"format", brace_format},
    {"format_map", format_map},
};

}  // namespace

std::span<const NamedFilter> string_methods() { return kMethods; }

}  // namespace notso::services::jinja
