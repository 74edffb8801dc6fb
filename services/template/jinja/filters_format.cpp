// Filters that write values: tojson, format.
#include "services/template/jinja/args.hpp"
#include "services/template/jinja/operators.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/jinja/text_ops.hpp"

namespace notso::services::jinja {
namespace {

Result<void> read_indent(const Value& value, JsonStyle& style) {
    if (value.is_none()) return {};
    if (value.is_string()) {
        style.indent = std::string(value.text());
    } else if (value.is_integral()) {
        constexpr std::int64_t kMaxIndent = 1024;
        if (value.as_int() > kMaxIndent)
            return fail(ErrorCode::kTooLarge, "tojson: an indent over {} spaces", kMaxIndent);
        style.indent =
            std::string(static_cast<std::size_t>(std::max<std::int64_t>(value.as_int(), 0)), ' ');
    } else {
        return fail(ErrorCode::kInvalidArgument,
                    "tojson: indent is a number or a string, not '{}'",
                    value.type_name());
    }
    style.item_separator = ",";
    return {};
}

Result<void> read_separators(const Value& value, JsonStyle& style) {
    if (value.is_none()) return {};
    const bool pair = value.is_sequence() && value.items().size() == 2 &&
                      value.items()[0].is_string() && value.items()[1].is_string();
    if (!pair) return fail(ErrorCode::kInvalidArgument, "tojson: separators are two strings");
    style.item_separator = value.items()[0].text();
    style.key_separator = value.items()[1].text();
    return {};
}

// With escaping on (pages) the text is safe to stand in HTML; else it is what json.dumps gives.
Result<Value> filter_tojson(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound,
              bind(args, {"tojson", {"ensure_ascii", "indent", "separators", "sort_keys"}}));
    JsonStyle style;
    style.ensure_ascii = bound.truth(0, false);
    style.sort_keys = bound.truth(3, false);
    style.html_safe = interpreter.auto_escape();
    if (bound.has(1) && !value.is_string()) NOTSO_CHECK(read_indent(bound[1], style));
    if (bound.has(2)) NOTSO_CHECK(read_separators(bound[2], style));
    TextBuilder out = interpreter.builder();
    NOTSO_CHECK(write_json(out, value, style));
    NOTSO_TRY(auto text, std::move(out).finish());
    return interpreter.auto_escape() ? Value::markup(std::move(text))
                                     : Value::string(std::move(text));
}

Result<Value> filter_format(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto format, interpreter.string_of(value));
    if (!args.positional.empty() && !args.named.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "format takes positional or named arguments, not both");
    }
    if (args.named.empty())
        return percent_format(interpreter, format, Value::tuple(args.positional));
    auto dict = std::make_shared<Dict>();
    for (const auto& [name, item] : args.named) dict->set(name, item);
    return percent_format(interpreter, format, Value::dict(std::move(dict)));
}

constexpr NamedFilter kFormatFilters[] = {{"tojson", filter_tojson}, {"format", filter_format}};

}  // namespace

std::span<const NamedFilter> format_filters() { return kFormatFilters; }

}  // namespace notso::services::jinja
