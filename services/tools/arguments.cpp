#include "services/tools/arguments.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "base/utf8.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr int kMaxDepth = 64;  // of schemas: a server may send any

const json::object* object_in(const json::object& from, std::string_view key) {
    const json::value* found = from.if_contains(key);
    return found == nullptr ? nullptr : found->if_object();
}

const json::array* array_in(const json::object& from, std::string_view key) {
    const json::value* found = from.if_contains(key);
    return found == nullptr ? nullptr : found->if_array();
}

std::optional<double> number_of(const json::value* value) {
    if (value == nullptr || !value->is_number()) return std::nullopt;
    return value->to_number<double>();
}

std::optional<double> number_in(const json::object& from, std::string_view key) {
    return number_of(from.if_contains(key));
}

bool is_whole(const json::value& value) {
    if (value.is_int64() || value.is_uint64()) return true;
    return value.is_double() && std::floor(value.get_double()) == value.get_double();
}

bool has_type(const json::value& value, std::string_view type) {
    if (type == "string") return value.is_string();
    if (type == "number") return value.is_number();
    if (type == "integer") return is_whole(value);
    if (type == "boolean") return value.is_bool();
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "null") return value.is_null();
    return true;  // no type that we know: the tool decides
}

std::string_view type_name(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return "null";
        case json::kind::bool_:
            return "a boolean";
        case json::kind::int64:
        case json::kind::uint64:
        case json::kind::double_:
            return "a number";
        case json::kind::string:
            return "a string";
        case json::kind::array:
            return "an array";
        case json::kind::object:
            return "an object";
    }
    return "something else";
}

/// The types that a schema allows, for messages: "string or null".
std::string types_text(const json::value& type) {
    if (const json::string* one = type.if_string()) return std::string(*one);
    std::string out;
    if (const json::array* several = type.if_array()) {
        for (const json::value& each : *several) {
            if (!each.is_string()) continue;
            if (!out.empty()) out += " or ";
            out += each.get_string();
        }
    }
    return out;
}

bool allows_type(const json::value& type, const json::value& value) {
    if (const json::string* one = type.if_string()) return has_type(value, *one);
    const json::array* several = type.if_array();
    if (several == nullptr) return true;
    return std::ranges::any_of(*several, [&](const json::value& each) {
        return !each.is_string() || has_type(value, each.get_string());
    });
}

std::string names_of(const json::object& object) {
    std::string out;
    for (const auto& member : object) {
        if (!out.empty()) out += ", ";
        out += member.key();
    }
    return out.empty() ? "none" : out;
}

/// Walks the arguments and the schema together.
class Checker {
  public:
    Result<> check(json::value& value, const json::object& schema, const std::string& where) {
        if (++depth_ > kMaxDepth) return {};
        NOTSO_CHECK(check_type(value, schema, where));
        NOTSO_CHECK(check_enum(value, schema, where));
        NOTSO_CHECK(check_size(value, schema, where));
        if (json::object* object = value.if_object())
            NOTSO_CHECK(check_members(*object, schema, where));
        if (json::array* array = value.if_array()) NOTSO_CHECK(check_items(*array, schema, where));
        --depth_;
        return {};
    }

    Result<> check_members(json::object& object,
                           const json::object& schema,
                           const std::string& where) {
        const json::object* properties = object_in(schema, "properties");
        if (const json::array* required = array_in(schema, "required")) {
            for (const json::value& name : *required) {
                if (!name.is_string() || object.contains(name.get_string())) continue;
                return fail(ErrorCode::kInvalidArgument,
                            "{} is missing; give it",
                            named(where, name.get_string()));
            }
        }
        const json::value* more = schema.if_contains("additionalProperties");
        const bool closed = more != nullptr && more->is_bool() && !more->get_bool();
        for (auto& member : object) {
            const json::object* below =
                properties == nullptr ? nullptr : object_in(*properties, member.key());
            if (below != nullptr) {
                NOTSO_CHECK(check(member.value(), *below, named(where, member.key())));
            } else if (closed && (properties == nullptr || !properties->contains(member.key()))) {
                return fail(ErrorCode::kInvalidArgument,
                            "{} is not known; known arguments: {}",
                            named(where, member.key()),
                            properties == nullptr ? "none" : names_of(*properties));
            }
        }
        return {};
    }

  private:
    static std::string named(const std::string& where, std::string_view key) {
        const std::string_view shown = truncate_utf8(key, 100);
        return where.empty() ? fmt::format("argument \"{}\"", shown)
                             : fmt::format("\"{}\" in {}", shown, where);
    }

    static Result<> check_type(json::value& value,
                               const json::object& schema,
                               const std::string& where) {
        const json::value* type = schema.if_contains("type");
        if (type == nullptr) return {};
        if (!allows_type(*type, value)) {
            return fail(ErrorCode::kInvalidArgument,
                        "{} is {}; it must be of type {}",
                        where,
                        type_name(value),
                        types_text(*type));
        }
        constexpr double kExact = 9.0e15;
        const bool integer = type->is_string() && type->get_string() == "integer";
        if (integer && value.is_double() && std::abs(value.get_double()) < kExact)
            value = static_cast<std::int64_t>(value.get_double());
        return {};
    }

    static Result<> check_enum(const json::value& value,
                               const json::object& schema,
                               const std::string& where) {
        const json::array* allowed = array_in(schema, "enum");
        if (allowed == nullptr || std::ranges::find(*allowed, value) != allowed->end()) return {};
        constexpr std::size_t kShown = 2000;
        const std::string list = json::serialize(*allowed);
        return fail(ErrorCode::kInvalidArgument,
                    "{} must be one of {}",
                    where,
                    truncate_utf8(list, kShown));
    }

    static Result<> check_range(double number,
                                const json::object& schema,
                                const std::string& what) {
        if (const auto least = number_in(schema, "minimum"); least && number < *least)
            return fail(ErrorCode::kInvalidArgument, "{} must be {} or more", what, *least);
        if (const auto most = number_in(schema, "maximum"); most && number > *most)
            return fail(ErrorCode::kInvalidArgument, "{} must be {} or less", what, *most);
        return {};
    }

    static Result<> check_count(std::size_t count,
                                const json::object& schema,
                                const std::string& what,
                                bool is_text) {
        const auto number = static_cast<double>(count);
        const std::string_view unit = is_text ? "characters" : "items";
        if (const auto least = number_in(schema, is_text ? "minLength" : "minItems");
            least && number < *least)
            return fail(
                ErrorCode::kInvalidArgument, "{} must have {} {} or more", what, *least, unit);
        if (const auto most = number_in(schema, is_text ? "maxLength" : "maxItems");
            most && number > *most)
            return fail(
                ErrorCode::kInvalidArgument, "{} must have {} {} or less", what, *most, unit);
        return {};
    }

    static Result<> check_size(const json::value& value,
                               const json::object& schema,
                               const std::string& where) {
        if (const auto number = number_of(&value)) return check_range(*number, schema, where);
        if (const json::string* text = value.if_string())
            return check_count(unicode::count_code_points(*text), schema, where, true);
        if (const json::array* array = value.if_array())
            return check_count(array->size(), schema, where, false);
        return {};
    }

    Result<> check_items(json::array& array, const json::object& schema, const std::string& where) {
        const json::object* items = object_in(schema, "items");
        if (items == nullptr) return {};
        for (std::size_t i = 0; i < array.size(); ++i)
            NOTSO_CHECK(check(array[i], *items, fmt::format("item {} of {}", i + 1, where)));
        return {};
    }

    int depth_ = 0;
};

}  // namespace

Result<json::object> read_arguments(std::string_view text,
                                    std::size_t max_bytes,
                                    std::size_t max_depth) {
    if (text.find_first_not_of(kWhiteSpace) == std::string_view::npos) return json::object{};
    if (text.size() > max_bytes) {
        return fail(ErrorCode::kTooLarge,
                    "the arguments have {} bytes, more than {}; give less text",
                    text.size(),
                    max_bytes);
    }
    boost::system::error_code error;
    json::value value = json::parse(text, error, {}, {.max_depth = max_depth});
    if (error) {
        return fail(ErrorCode::kInvalidArgument,
                    "the arguments are not JSON ({}); write one JSON object",
                    error.message());
    }
    if (!value.is_object()) {
        return fail(ErrorCode::kInvalidArgument,
                    "the arguments are {}; write one JSON object, such as {{\"name\": \"value\"}}",
                    type_name(value));
    }
    return std::move(value.get_object());
}

Result<> check_arguments(json::object& arguments, const json::object& schema) {
    return Checker().check_members(arguments, schema, "");
}

}  // namespace notso::services
