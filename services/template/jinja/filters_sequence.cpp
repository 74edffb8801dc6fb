// Filters on lists and dicts: length, first, last, list, reverse, items, batch, slice, sum…
#include <cmath>

#include "services/template/jinja/args.hpp"
#include "services/template/jinja/operators.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/jinja/sequence_ops.hpp"
#include "services/template/jinja/text_ops.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {
namespace {

Result<Value> filter_length(Interpreter&, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"length", {}}));
    NOTSO_TRY(const std::int64_t length, length_of(value));
    return Value::integer(length);
}

Result<Value> filter_first(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"first", {}}));
    const Value nothing = Value::undefined("no first item, the sequence is empty");
    if (auto* generator = value.as<Generator>()) {
        NOTSO_TRY(const auto next, generator->next());
        return next.value_or(nothing);
    }
    NOTSO_TRY(const auto items, interpreter.iterate(value));
    return items->items.empty() ? nothing : items->items.front();
}

Result<Value> filter_last(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"last", {}}));
    if (value.as<Generator>() != nullptr) {
        return fail(ErrorCode::kInvalidArgument,
                    "'generator' object has no last item: use |list first");
    }
    NOTSO_TRY(const auto items, interpreter.iterate(value));
    if (value.is_markup() && !items->items.empty())  // by position, not by iteration
        return Value::markup(std::string(items->items.back().text()));
    return items->items.empty() ? Value::undefined("no last item, the sequence is empty")
                                : items->items.back();
}

Result<Value> filter_list(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"list", {}}));
    NOTSO_TRY(const auto items, interpreter.iterate(value));
    return Value::list(items->items);
}

Result<Value> filter_reverse(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"reverse", {}}));
    if (value.is_string()) {
        std::u32string text = unicode::decode(value.text());
        std::reverse(text.begin(), text.end());
        return like(value, unicode::encode(text));
    }
    NOTSO_TRY(const auto items, interpreter.iterate(value));
    std::vector<Value> reversed(items->items.rbegin(), items->items.rend());
    if (value.as<Generator>() != nullptr) return Value::list(std::move(reversed));
    return make_object<Generator>(std::move(reversed), "list_reverseiterator");
}

Result<std::vector<Value>> make_items(Interpreter&, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"items", {}}));
    if (value.is_undefined()) return std::vector<Value>{};
    if (!value.is_dict()) {
        return fail(
            ErrorCode::kInvalidArgument, "items works on a dict, not '{}'", value.type_name());
    }
    return DictView(value.dict_ref(), DictView::Kind::kItems).items()->items;
}

Result<std::vector<Value>> make_batches(Interpreter& interpreter,
                                        const Value& value,
                                        const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"batch", {"linecount", "fill_with"}, 1}));
    // Python only compares lengths with it: what is no whole number is never reached.
    std::int64_t size = -1;
    if (bound[0].is_integral()) size = bound[0].as_int();
    if (bound[0].is_float() && bound[0].as_double() == std::floor(bound[0].as_double()) &&
        std::abs(bound[0].as_double()) < 1e15)
        size = static_cast<std::int64_t>(bound[0].as_double());
    NOTSO_TRY(const auto items, interpreter.iterate(value));
    std::vector<Value> batches;
    std::vector<Value> batch;
    for (const Value& item : items->items) {
        if (static_cast<std::int64_t>(batch.size()) == size) {
            batches.push_back(Value::list(std::exchange(batch, {})));
        }
        batch.push_back(item);
    }
    if (bound.set(1) && !batch.empty()) {
        NOTSO_TRY(size, bound.integer(0, 1));
    }
    while (bound.set(1) && !batch.empty() && static_cast<std::int64_t>(batch.size()) < size) {
        NOTSO_CHECK(interpreter.spend());
        batch.push_back(bound[1]);
    }
    if (!batch.empty()) batches.push_back(Value::list(std::move(batch)));
    return batches;
}

Result<std::vector<Value>> make_slices(Interpreter& interpreter,
                                       const Value& value,
                                       const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"slice", {"slices", "fill_with"}, 1}));
    NOTSO_TRY(const std::int64_t slices, bound.integer(0, 1));
    NOTSO_TRY(const auto items, interpreter.iterate(value));
    if (slices == 0) return fail(ErrorCode::kInvalidArgument, "slice: division by zero");
    const auto length = static_cast<std::int64_t>(items->items.size());
    const std::int64_t each = length / slices;
    const std::int64_t extra = length % slices;
    std::vector<Value> out;
    auto at = items->items.begin();
    for (std::int64_t i = 0; i < slices; ++i) {
        NOTSO_CHECK(interpreter.spend());
        const auto end = at + each + (i < extra ? 1 : 0);
        std::vector<Value> part(at, end);
        at = end;
        if (bound.set(1) && i >= extra) part.push_back(bound[1]);
        out.push_back(Value::list(std::move(part)));
    }
    return out;
}

Result<Value> filter_sum(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"sum", {"attribute", "start"}}));
    NOTSO_TRY(auto items, interpreter.iterate(value));
    if (bound.set(0)) {
        NOTSO_TRY(items, map_attribute(interpreter, *items, bound[0]));
    }
    Value total = bound.has(1) ? bound[1] : Value::integer(0);
    if (total.is_string())
        return fail(ErrorCode::kInvalidArgument, "sum can't add strings: use join");
    for (const Value& item : items->items) {
        NOTSO_CHECK(interpreter.spend());
        NOTSO_TRY(total, arithmetic(interpreter, Operator::kAdd, total, item));
    }
    return total;
}

Result<Value> filter_default(Interpreter&, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"default", {"default_value", "boolean"}}));
    const bool replace = value.is_undefined() || (bound.truth(1, false) && !value.truthy());
    if (!replace) return value;
    return bound.has(0) ? bound[0] : Value::string("");
}

Result<Value> filter_attr(Interpreter& interpreter, const Value& value, const CallArgs& args) {
    NOTSO_TRY(const auto bound, bind(args, {"attr", {"name"}, 1}));
    NOTSO_TRY(const auto name, bound.text(0, ""));
    if (value.is_dict() && find_method(value, name) == nullptr) {
        return Value::undefined(fmt::format("'dict object' has no attribute '{}'", name));
    }
    return interpreter.attribute(value, name);
}

constexpr NamedFilter kSequenceFilters[] = {
    {"length", filter_length},
    {"count", filter_length},
    {"first", filter_first},
    {"last", filter_last},
    {"list", filter_list},
    {"reverse", filter_reverse},
    {"items", generator<make_items>},
    {"batch", generator<make_batches>},
    {"slice", generator<make_slices>},
    {"sum", filter_sum},
    {"default", filter_default},
    {"d", filter_default},
    {"attr", filter_attr},
};

}  // namespace

std::span<const NamedFilter> sequence_filters() { return kSequenceFilters; }

}  // namespace notso::services::jinja
