// Filters of the pages: markdown and datetime. Chat templates have them too; they do no harm there.
#include "services/template/jinja/args.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/jinja/strftime.hpp"
#include "services/template/markdown.hpp"

namespace notso::services::jinja {
namespace {

Result<Value> filter_markdown(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"markdown", {}}));
    NOTSO_TRY(const auto text, interpreter.text_of(value));
    return Value::markup(markdown_to_html(text));
}

/// Milliseconds since 1970 (UTC) or an ISO time, by a strftime format.
Result<Value> filter_datetime(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"datetime", {"format"}}));
    NOTSO_TRY(const auto format, bound.text(0, "%-d %B %Y, %H:%M"));
    CivilTime time;
    if (value.is_number()) {
        time = civil_from_unix_ms(value.is_float() ? static_cast<UnixMs>(value.as_double())
                                                   : value.as_int());
    } else {
        NOTSO_TRY(const auto text, interpreter.text_of(value));
        NOTSO_TRY(time, parse_iso_time(text));
    }
    NOTSO_TRY(auto text, format_time(time, format));
    return Value::string(std::move(text));
}

constexpr NamedFilter kPageFilters[] = {{"markdown", filter_markdown},
                                        {"datetime", filter_datetime}};

}  // namespace

std::span<const NamedFilter> page_filters() { return kPageFilters; }

}  // namespace notso::services::jinja
