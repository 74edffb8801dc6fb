// Slices of strings, lists, tuples and ranges; see operators.hpp.
#include <algorithm>

#include "services/template/jinja/operators.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {
namespace {

/// The bounds as Python applies them to `length` items.
struct Span {
    std::int64_t start;
    std::int64_t count;
    std::int64_t step;
    std::int64_t stop;
};

Result<std::int64_t> bound(const Value& value, std::int64_t missing) {
    if (value.is_none()) return missing;
    if (value.is_integral()) return value.as_int();
    if (value.is_undefined())
        return fail(ErrorCode::kInvalidArgument, "{}", value.undefined_message());
    return fail(ErrorCode::kInvalidArgument,
                "a slice bound must be an integer or none, not '{}'",
                value.type_name());
}

Result<Span> resolve(const SliceBounds& bounds, std::int64_t length) {
    NOTSO_TRY(const std::int64_t step, bound(bounds.step, 1));
    if (step == 0) return fail(ErrorCode::kInvalidArgument, "the step of a slice can't be zero");
    const std::int64_t lowest = step < 0 ? -1 : 0;
    const std::int64_t highest = step < 0 ? length - 1 : length;
    const auto clip = [&](std::int64_t at) {
        return std::clamp(at < 0 ? at + length : at, lowest, highest);
    };
    Span span{step < 0 ? highest : lowest, 0, step, step < 0 ? lowest : highest};
    std::int64_t& stop = span.stop;
    if (!bounds.start.is_none()) {
        NOTSO_TRY(const std::int64_t start, bound(bounds.start, 0));
        span.start = clip(start);
    }
    if (!bounds.stop.is_none()) {
        NOTSO_TRY(stop, bound(bounds.stop, 0));
        stop = clip(stop);
    }
    if (step > 0 && span.start < stop) span.count = (stop - span.start - 1) / step + 1;
    if (step < 0 && span.start > stop) {
        const auto distance = static_cast<std::uint64_t>(span.start - stop - 1);
        span.count = static_cast<std::int64_t>(
                         distance / (std::uint64_t{0} - static_cast<std::uint64_t>(step))) +
                     1;
    }
    return span;
}

std::string slice_text(const String& string, const Span& span) {
    if (span.count == 0) return {};
    if (span.step == 1) {
        const auto from = static_cast<std::size_t>(span.start);
        const auto count = static_cast<std::size_t>(span.count);
        if (string.ascii()) return string.text.substr(from, count);
        const std::string_view rest =
            std::string_view(string.text).substr(unicode::byte_offset(string.text, from));
        return std::string(rest.substr(0, unicode::byte_offset(rest, count)));
    }
    const std::u32string decoded = unicode::decode(string.text);
    std::u32string out;
    for (std::int64_t i = 0; i < span.count; ++i) {
        out += decoded[static_cast<std::size_t>(span.start + i * span.step)];
    }
    return unicode::encode(out);
}

std::vector<Value> slice_items(const std::vector<Value>& items, const Span& span) {
    std::vector<Value> out;
    out.reserve(static_cast<std::size_t>(span.count));
    for (std::int64_t i = 0; i < span.count; ++i) {
        out.push_back(items[static_cast<std::size_t>(span.start + i * span.step)]);
    }
    return out;
}

}  // namespace

Result<Value> slice(Interpreter& interpreter, const Value& base, const SliceBounds& bounds) {
    if (base.is_string()) {
        NOTSO_TRY(const Span span,
                  resolve(bounds, static_cast<std::int64_t>(base.as_string().length)));
        std::string text = slice_text(base.as_string(), span);
        return base.is_markup() ? Value::markup(std::move(text)) : Value::string(std::move(text));
    }
    if (base.is_sequence()) {
        NOTSO_TRY(const Span span, resolve(bounds, static_cast<std::int64_t>(base.items().size())));
        NOTSO_CHECK(interpreter.spend(span.count / 8));
        auto items = slice_items(base.items(), span);
        return base.is_list() ? Value::list(std::move(items)) : Value::tuple(std::move(items));
    }
    if (const auto* range = base.as<Range>()) {
        NOTSO_TRY(const Span span, resolve(bounds, range->count()));
        const std::int64_t first = range->start() + span.start * range->step();
        const std::int64_t step = range->step() * span.step;
        const std::int64_t stop = range->start() + span.stop * range->step();
        return make_object<Range>(first, stop, step);
    }
    if (base.is_undefined())
        return fail(ErrorCode::kInvalidArgument, "{}", base.undefined_message());
    return fail(ErrorCode::kInvalidArgument, "'{}' object can't be sliced", base.type_name());
}

}  // namespace notso::services::jinja
