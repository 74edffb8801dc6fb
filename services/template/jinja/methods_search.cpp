// Methods of str that ask: find, count, startswith…, and isalpha and its kin.
#include "base/utf8.hpp"
#include "services/template/jinja/args.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/jinja/text_ops.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {
namespace {

/// The part of a string that the bounds of find() and its kin leave; `first` is its index in code
/// points.
struct Window {
    std::string_view text;
    std::int64_t first = 0;
    bool empty_range = false;  ///< start > end: nothing is found, not even "".
};

Result<Window> window(const Value& self, const BoundArgs& bound) {
    const auto length = static_cast<std::int64_t>(self.as_string().length);
    NOTSO_TRY(std::int64_t start, bound.set(1) ? bound.integer(1, 0) : Result<std::int64_t>(0));
    NOTSO_TRY(std::int64_t end,
              bound.set(2) ? bound.integer(2, length) : Result<std::int64_t>(length));
    if (start < 0) start = std::max<std::int64_t>(start + length, 0);
    end = end < 0 ? std::max<std::int64_t>(end + length, 0) : std::min(end, length);
    if (start > end) return Window{{}, start, true};
    const std::string_view text = self.text();
    const std::size_t from = unicode::byte_offset(text, static_cast<std::size_t>(start));
    const std::string_view rest = text.substr(from);
    return Window{rest.substr(0, unicode::byte_offset(rest, static_cast<std::size_t>(end - start))),
                  start};
}

template <bool FromRight, bool Strict>
Result<Value> find(Interpreter& interpreter, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"find", {"", "", ""}, 1}));
    NOTSO_TRY(const auto what, bound.text(0, ""));
    NOTSO_TRY(const Window in, window(self, bound));
    NOTSO_CHECK(interpreter.spend(static_cast<std::int64_t>(in.text.size() / 64)));
    std::size_t at = std::string_view::npos;
    if (!in.empty_range) at = FromRight ? rfind_text(in.text, what) : find_text(in.text, what);
    if (at != std::string_view::npos) {
        return Value::integer(in.first + static_cast<std::int64_t>(
                                             unicode::count_code_points(in.text.substr(0, at))));
    }
    if (Strict) return fail(ErrorCode::kInvalidArgument, "index(): the text is not there");
    return Value::integer(-1);
}

Result<Value> count(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"count", {"", "", ""}, 1}));
    NOTSO_TRY(const auto what, bound.text(0, ""));
    NOTSO_TRY(const Window in, window(self, bound));
    if (in.empty_range) return Value::integer(0);
    if (what.empty())
        return Value::integer(static_cast<std::int64_t>(unicode::count_code_points(in.text)) + 1);
    std::int64_t found = 0;
    for (std::size_t at = 0; (at = find_text(in.text, what, at)) != std::string_view::npos;
         at += what.size())
        ++found;
    return Value::integer(found);
}

template <bool Start>
Result<Value> has_affix(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {Start ? "startswith" : "endswith", {"", "", ""}, 1}));
    NOTSO_TRY(const Window in, window(self, bound));
    std::vector<Value> affixes = {bound[0]};
    if (bound[0].is_tuple()) affixes = bound[0].items();
    for (const Value& affix : affixes) {
        if (!affix.is_string()) {
            return fail(ErrorCode::kInvalidArgument,
                        "{} takes a string or a tuple of them, not '{}'",
                        Start ? "startswith()" : "endswith()",
                        affix.type_name());
        }
        if (in.empty_range) continue;
        if (Start ? in.text.starts_with(affix.text()) : in.text.ends_with(affix.text()))
            return Value::boolean(true);
    }
    return Value::boolean(false);
}

// Not empty, and every character has one of the properties.
template <std::uint16_t AnyOf>
Result<Value> all_have(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"str method", {}}));
    const std::u32string text = unicode::decode(self.text());
    const bool all =
        std::all_of(text.begin(), text.end(), [](char32_t c) { return unicode::has(c, AnyOf); });
    return Value::boolean(all && (!text.empty() || AnyOf == unicode::kPrintable));
}

template <unicode::Property Wanted>
Result<Value> all_cased(Interpreter& interpreter, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"str method", {}}));
    const TestFunction test = find_test(Wanted == unicode::kUpper ? "upper" : "lower");
    NOTSO_TRY(const bool holds, test(interpreter, self, CallArgs{}));
    return Value::boolean(holds);
}

Result<Value> istitle(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"istitle", {}}));
    bool in_word = false;
    bool found = false;
    for (const char32_t c : unicode::decode(self.text())) {
        const bool capital = unicode::has(c, unicode::kUpper | unicode::kTitle);
        const bool small = unicode::has(c, unicode::kLower);
        if ((capital && in_word) || (small && !in_word)) return Value::boolean(false);
        in_word = capital || small;
        found = found || in_word;
    }
    return Value::boolean(found);
}

Result<Value> isascii(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"isascii", {}}));
    return Value::boolean(self.as_string().ascii());
}

Result<Value> isidentifier(Interpreter&, const Value& self, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"isidentifier", {}}));
    const std::u32string text = unicode::decode(self.text());
    const bool starts = !text.empty() && unicode::has(text[0], unicode::kIdentifierStart);
    return Value::boolean(starts && std::all_of(text.begin(), text.end(), [](char32_t c) {
                              return unicode::has(c, unicode::kIdentifier);
                          }));
}

constexpr NamedFilter kSearch[] = {
    {"find", find<false, false>},
    {"rfind", find<true, false>},
    {"index", find<false, true>},
    {"rindex", find<true, true>},
    {"count", count},
    {"startswith", has_affix<true>},
    {"endswith", has_affix<false>},
};

constexpr NamedFilter kClasses[] = {
    {"isspace", all_have<unicode::kSpace>},
    {"isalpha", all_have<unicode::kAlpha>},
    {"isalnum", all_have<unicode::kAlnum>},
    {"isdecimal", all_have<unicode::kDecimal>},
    {"isdigit", all_have<unicode::kDigit>},
    {"isnumeric", all_have<unicode::kNumeric>},
    {"isprintable", all_have<unicode::kPrintable>},
    {"isupper", all_cased<unicode::kUpper>},
    {"islower", all_cased<unicode::kLower>},
    {"istitle", istitle},
    {"isascii", isascii},
    {"isidentifier", isidentifier},
};

}  // namespace

std::span<const NamedFilter> string_search_methods() { return kSearch; }
std::span<const NamedFilter> string_class_methods() { return kClasses; }

}  // namespace notso::services::jinja
