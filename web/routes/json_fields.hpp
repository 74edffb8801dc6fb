// Reads members of a request's JSON strictly: a wrong type or range is an error that names the
// field. null means absent, as API clients send it for what they leave open; unknown members are
// ignored.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "web/middleware/error_mapping.hpp"

namespace notso::web {

/// An error of the API: what happened, and which field is to blame.
struct ApiError {
    Error error;
    ApiErrorInfo info = {};
};

template <class T = void>
using ApiResult = std::expected<T, ApiError>;

/// A failure that names its field.
template <class... Args>
[[nodiscard]] std::unexpected<ApiError> fail_field(std::string param,
                                                   fmt::format_string<Args...> format,
                                                   Args&&... args) {
    return std::unexpected(ApiError{
        Error{ErrorCode::kInvalidArgument, fmt::format(format, std::forward<Args>(args)...)},
        ApiErrorInfo{std::move(param), "invalid_value"}});
}

/// Well formed, but not done here (yet).
[[nodiscard]] std::unexpected<ApiError> unsupported_field(std::string param, std::string_view why);

/// Parses a request body: one JSON object, at most 64 levels deep, UTF-8. An empty body is an empty
/// object.
ApiResult<boost::json::object> parse_json_object(std::string_view body);

/// The members of one object. `path` comes before the names in errors: "messages[3].".
class JsonFields {
  public:
    /// `object` must outlive this.
    explicit JsonFields(const boost::json::object& object, std::string path = {})
        : object_(object), path_(std::move(path)) {}

    /// The member, or null when it is absent or null.
    const boost::json::value* find(std::string_view name) const;
    std::string path(std::string_view name) const { return path_ + std::string(name); }

    /// A finite number in [min, max].
    ApiResult<std::optional<double>> number(std::string_view name, double min, double max) const;
    /// A whole number in [min, max]; 3.0 counts as one.
    ApiResult<std::optional<std::int64_t>> integer(std::string_view name,
                                                   std::int64_t min,
                                                   std::int64_t max) const;
    /// A whole number 0..2^64 - 1.
    ApiResult<std::optional<std::uint64_t>> unsigned_integer(std::string_view name) const;
    ApiResult<std::optional<bool>> boolean(std::string_view name) const;
    ApiResult<std::optional<std::string>> string(std::string_view name) const;
    /// Null when absent.
    ApiResult<const boost::json::object*> object(std::string_view name) const;
    ApiResult<const boost::json::array*> array(std::string_view name, std::size_t max_items) const;

  private:
    const boost::json::object& object_;
    std::string path_;
};

/// For messages: "a string", "a number", …
std::string_view type_name(const boost::json::value& value);

/// The JSON response of an error.
Response api_error(const ApiError& error);

}  // namespace notso::web
