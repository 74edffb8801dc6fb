// Attributes, items and membership as a sandboxed template sees them: names with leading
// underscores and methods that would change a value are never given out.
#include "services/template/jinja/operators.hpp"
#include "services/template/jinja/registry.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services::jinja {
namespace {

Value no_attribute(const Value& value, std::string_view name) {
    const std::string type = value.is_none() ? "None" : fmt::format("{} object", value.type_name());
    return Value::undefined(fmt::format("'{}' has no attribute '{}'", type, name));
}

Value no_item(const Value& value, const Value& key) {
    if (key.is_string()) return no_attribute(value, key.text());
    const std::string type = value.is_none() ? "None" : fmt::format("{} object", value.type_name());
    return Value::undefined(fmt::format("{} has no element {}", type, short_str(key)));
}

Value unsafe_attribute(const Value& value, std::string_view name) {
    return Value::undefined(
        fmt::format("access to attribute '{}' of '{}' object is unsafe", name, value.type_name()));
}

// A method as a value of its own.
Value bound_method(const Value& self, std::string_view name, FilterFunction method) {
    return make_object<Function>(std::string(name),
                                 [self, method](Interpreter& interpreter, CallArgs args) {
                                     return method(interpreter, self, args);
                                 });
}

// range.count and range.index are those of its items.
std::optional<Value> range_method(const Value& value, std::string_view name) {
    auto* range = value.as<Range>();
    if (range == nullptr || (name != "count" && name != "index")) return std::nullopt;
    const auto items = range->iterate();
    if (!items) return std::nullopt;
    const Value tuple = Value::tuple((*items)->items);
    return bound_method(tuple, name, find_method(tuple, name));
}

// What Python's getattr would find on the type.
std::optional<Value> type_attribute(Interpreter& interpreter,
                                    const Value& value,
                                    std::string_view name) {
    if (name.starts_with("__") && name.ends_with("__")) return unsafe_attribute(value, name);
    if (is_mutating_method(value, name)) return unsafe_attribute(value, name);
    if (const FilterFunction method = find_method(value, name))
        return bound_method(value, name, method);
    if (value.is_number()) return number_attribute(value, name);
    if (value.is_group() && (name == "grouper" || name == "list"))
        return value.items()[name == "list" ? 1 : 0];
    if (!value.is_object() || name.starts_with('_')) return std::nullopt;
    if (auto found = range_method(value, name)) return found;
    return value.as_object().attribute(interpreter, name);
}

std::optional<Value> character_at(const String& string, std::int64_t index, bool markup) {
    const auto length = static_cast<std::int64_t>(string.length);
    if (index < 0) index += length;
    if (index < 0 || index >= length) return std::nullopt;
    std::string_view rest = string.text;
    rest.remove_prefix(string.ascii()
                           ? static_cast<std::size_t>(index)
                           : unicode::byte_offset(rest, static_cast<std::size_t>(index)));
    std::string character(rest.substr(0, unicode::byte_offset(rest, 1)));
    return markup ? Value::markup(std::move(character)) : Value::string(std::move(character));
}

std::optional<Value> element_at(const std::vector<Value>& items, std::int64_t index) {
    const auto length = static_cast<std::int64_t>(items.size());
    if (index < 0) index += length;
    if (index < 0 || index >= length) return std::nullopt;
    return items[static_cast<std::size_t>(index)];
}

// What Python's value[key] would find.
std::optional<Value> type_item(const Value& value, const Value& key) {
    if (value.is_dict()) {
        const Value* found = value.as_dict().find(key);
        return found != nullptr ? std::optional(*found) : std::nullopt;
    }
    if (value.is_object()) return value.as_object().item(key);
    if (!key.is_integral()) return std::nullopt;
    if (value.is_string()) return character_at(value.as_string(), key.as_int(), value.is_markup());
    if (value.is_sequence()) return element_at(value.items(), key.as_int());
    return std::nullopt;
}

}  // namespace

Result<Value> Interpreter::attribute(const Value& value, std::string_view name) {
    if (value.is_undefined())
        return fail(ErrorCode::kInvalidArgument, "{}", value.undefined_message());
    if (auto found = type_attribute(*this, value, name)) return *std::move(found);
    if (value.is_dict()) {
        const Value* found = value.as_dict().find(name);
        return found != nullptr ? *found : no_attribute(value, name);
    }
    if (value.is_object()) {
        if (auto found = value.as_object().item(Value::string(std::string(name))))
            return *std::move(found);
    }
    return no_attribute(value, name);
}

Result<Value> Interpreter::item(const Value& value, const Value& key) {
    if (value.is_undefined())
        return fail(ErrorCode::kInvalidArgument, "{}", value.undefined_message());
    if (auto found = type_item(value, key)) return *std::move(found);
    if (key.is_string()) {
        if (auto found = type_attribute(*this, value, key.text())) return *std::move(found);
    }
    return no_item(value, key);
}

Result<bool> Interpreter::contains(const Value& container, const Value& needle) {
    if (container.is_string()) {
        if (!needle.is_string()) {
            return fail(ErrorCode::kInvalidArgument,
                        "'in' on a string takes a string, not '{}'",
                        needle.type_name());
        }
        NOTSO_CHECK(spend_on(container));
        return container.text().find(needle.text()) != std::string_view::npos;
    }
    if (container.is_dict()) {
        if (!hash_of(needle)) {
            return fail(ErrorCode::kInvalidArgument,
                        "a '{}' can't be the key of a dict",
                        needle.type_name());
        }
        return container.as_dict().find(needle) != nullptr;
    }
    NOTSO_TRY(const auto items, iterate(container));
    for (const Value& item : items->items) {
        if (!MemoryMeter::charge(1)) break;
        if (item.same_as(needle) || equals(item, needle)) return true;
    }
    return false;
}

}  // namespace notso::services::jinja
