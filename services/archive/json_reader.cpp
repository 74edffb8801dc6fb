#include "services/archive/json_reader.hpp"

#include <charconv>
#include <cmath>

namespace notso::services {

namespace json = boost::json;

std::unexpected<Error> JsonReader::wrong(std::string_view name, std::string_view what) const {
    return fail(ErrorCode::kInvalidArgument, "{}{} {}", path_, name, what);
}

bool JsonReader::has(std::string_view name) const {
    const json::value* value = find(name);
    return value != nullptr && !value->is_null();
}

Result<std::string> JsonReader::text(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr) return wrong(name, "is missing");
    if (!value->is_string()) return wrong(name, "must be a text");
    return std::string(value->get_string());
}

Result<std::int64_t> JsonReader::integer(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr) return wrong(name, "is missing");
    if (!value->is_int64()) return wrong(name, "must be a whole number");
    return value->get_int64();
}

Result<double> JsonReader::exact(std::string_view name) const {
    NOTSO_TRY(const std::string value, text(name));
    double number = 0;
    const char* end = value.data() + value.size();
    const auto read = std::from_chars(value.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end || !std::isfinite(number))
        return wrong(name, "must be a number, written as a text");
    return number;
}

Result<bool> JsonReader::flag(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr) return wrong(name, "is missing");
    if (!value->is_bool()) return wrong(name, "must be true or false");
    return value->get_bool();
}

Result<JsonReader> JsonReader::object(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr) return wrong(name, "is missing");
    if (!value->is_object()) return wrong(name, "must be an object");
    return JsonReader(value->get_object(), fmt::format("{}{}.", path_, name));
}

Result<std::vector<JsonReader>> JsonReader::objects(std::string_view name) const {
    const json::value* value = find(name);
    if (value == nullptr) return wrong(name, "is missing");
    if (!value->is_array()) return wrong(name, "must be a list");
    std::vector<JsonReader> all;
    for (const json::value& one : value->get_array()) {
        const std::string path = fmt::format("{}{}[{}].", path_, name, all.size());
        if (!one.is_object())
            return fail(
                ErrorCode::kInvalidArgument, "{}{}[{}] must be an object", path_, name, all.size());
        all.emplace_back(one.get_object(), path);
    }
    return all;
}

}  // namespace notso::services
