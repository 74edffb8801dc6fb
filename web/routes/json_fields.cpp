#include "web/routes/json_fields.hpp"

#include <cmath>
#include <limits>

namespace notso::web {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 64;
constexpr double kExactIntegers = 9007199254740992.0;  // 2^53: doubles are exact up to here

std::optional<double> as_double(const json::value& value) {
    if (!value.is_number()) return std::nullopt;
    return value.to_number<double>();
}

/// Sign and magnitude of a whole number.
struct Whole {
    bool negative = false;
    std::uint64_t magnitude = 0;
};

std::optional<Whole> as_whole(const json::value& value) {
    if (value.is_uint64()) return Whole{false, value.get_uint64()};
    if (value.is_int64()) {
        const std::int64_t number = value.get_int64();
        if (number >= 0) return Whole{false, static_cast<std::uint64_t>(number)};
        return Whole{true, static_cast<std::uint64_t>(-(number + 1)) + 1};
    }
    if (!value.is_double()) return std::nullopt;
    const double number = value.get_double();
    if (!(std::fabs(number) <= kExactIntegers) || std::floor(number) != number) return std::nullopt;
    return Whole{number < 0, static_cast<std::uint64_t>(std::fabs(number))};
}

std::string member(const json::value& value) {
    const std::string text = json::serialize(value);
    return text.size() <= 40 ? text : std::string(type_name(value));
}

}  // namespace

std::unexpected<ApiError> unsupported_field(std::string param, std::string_view why) {
    return std::unexpected(
        ApiError{Error{ErrorCode::kUnsupported, fmt::format("{}: {}", param, why)},
                 ApiErrorInfo{param, "unsupported_value"}});
}

ApiResult<json::object> parse_json_object(std::string_view body) {
    if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return json::object();
    json::parse_options options;
    options.max_depth = kMaxDepth;
    json::error_code failure;
    json::stream_parser parser({}, options);
    std::size_t read = parser.write_some(body.data(), body.size(), failure);
    if (!failure) parser.finish(failure);
    if (!failure && body.find_first_not_of(" \t\r\n", read) != std::string_view::npos) {
        failure = json::error::extra_data;
    }
    if (failure == json::error::too_deep)
        return fail_field("", "the JSON is nested deeper than {} levels", kMaxDepth);
    if (failure)
        return fail_field(
            "", "the body is not valid JSON: {} near byte {}", failure.message(), read);
    json::value value = parser.release();
    if (!value.is_object())
        return fail_field("", "the body must be a JSON object, not {}", type_name(value));
    return std::move(value.get_object());
}

const json::value* JsonFields::find(std::string_view name) const {
    const json::value* found = object_.if_contains(name);
    return found == nullptr || found->is_null() ? nullptr : found;
}

ApiResult<std::optional<double>> JsonFields::number(std::string_view name,
                                                    double min,
                                                    double max) const {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    const auto number = as_double(*value);
    if (!number)
        return fail_field(path(name), "{} must be a number, not {}", path(name), type_name(*value));
    if (!(*number >= min && *number <= max)) {
        return fail_field(
            path(name), "{} must be from {} to {}, not {}", path(name), min, max, *number);
    }
    return number;
}

ApiResult<std::optional<std::int64_t>> JsonFields::integer(std::string_view name,
                                                           std::int64_t min,
                                                           std::int64_t max) const {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number()) {
        return fail_field(
            path(name), "{} must be a whole number, not {}", path(name), type_name(*value));
    }
    const auto whole = as_whole(*value);
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const bool fits = whole && whole->magnitude <= kMax;
    const auto magnitude = fits ? static_cast<std::int64_t>(whole->magnitude) : 0;
    const std::int64_t number = fits && whole->negative ? -magnitude : magnitude;
    if (!fits || number < min || number > max) {
        return fail_field(path(name),
                          "{} must be a whole number from {} to {}, not {}",
                          path(name),
                          min,
                          max,
                          member(*value));
    }
    return number;
}

ApiResult<std::optional<std::uint64_t>> JsonFields::unsigned_integer(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    const auto whole = value->is_number() ? as_whole(*value) : std::nullopt;
    if (!whole || (whole->negative && whole->magnitude > 0)) {
        return fail_field(path(name),
                          "{} must be a whole number from 0 to 2^64 - 1, not {}",
                          path(name),
                          member(*value));
    }
    return whole->magnitude;
}

ApiResult<std::optional<bool>> JsonFields::boolean(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_bool()) {
        return fail_field(
            path(name), "{} must be true or false, not {}", path(name), type_name(*value));
    }
    return value->get_bool();
}

ApiResult<std::optional<std::string>> JsonFields::string(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) {
        return fail_field(path(name), "{} must be a string, not {}", path(name), type_name(*value));
    }
    return std::string(value->get_string());
}

ApiResult<const json::object*> JsonFields::object(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr) return nullptr;
    if (!value->is_object()) {
        return fail_field(
            path(name), "{} must be an object, not {}", path(name), type_name(*value));
    }
    return &value->get_object();
}

ApiResult<const json::array*> JsonFields::array(std::string_view name,
                                                std::size_t max_items) const {
    const json::value* value = find(name);
    if (value == nullptr) return nullptr;
    if (!value->is_array()) {
        return fail_field(path(name), "{} must be an array, not {}", path(name), type_name(*value));
    }
    const json::array& items = value->get_array();
    if (items.size() > max_items) {
        return fail_field(
            path(name), "{} has {} items, {} are allowed", path(name), items.size(), max_items);
    }
    return &items;
}

std::string_view type_name(const json::value& value) {
    if (value.is_string()) return "a string";
    if (value.is_bool()) return "a boolean";
    if (value.is_null()) return "null";
    if (value.is_array()) return "an array";
    return value.is_object() ? "an object" : "a number";
}

Response api_error(const ApiError& error) { return api_error(error.error, error.info); }

}  // namespace notso::web
