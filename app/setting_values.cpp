// See setting_values.hpp.
#include "app/setting_values.hpp"

#include <charconv>

#include "base/log.hpp"

namespace notso::app {

std::unexpected<Error> bad_value(const SettingValue& value, std::string_view allowed) {
    const std::string text = value.values.empty() ? "" : value.values.front();
    return fail(
        ErrorCode::kInvalidArgument, "{}: {} is not {}", value.source, log::field(text), allowed);
}

Result<std::string> one(const SettingValue& value) {
    if (value.values.size() != 1)
        return fail(ErrorCode::kInvalidArgument, "{}: takes one value", value.source);
    if (value.values.front().empty())
        return fail(ErrorCode::kInvalidArgument, "{}: must not be empty", value.source);
    return value.values.front();
}

Result<std::int64_t> whole_number(const SettingValue& value, std::int64_t low, std::int64_t high) {
    NOTSO_TRY(const std::string text, one(value));
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < low || number > high)
        return bad_value(value, fmt::format("a whole number from {} to {}", low, high));
    return number;
}

Result<> set_string(std::string& field, const SettingValue& value) {
    NOTSO_TRY(field, one(value));
    return {};
}

Result<> set_path(std::filesystem::path& field, const SettingValue& value) {
    NOTSO_TRY(field, one(value));
    return {};
}

Result<> set_switch(std::optional<bool>& field, const SettingValue& value) {
    NOTSO_TRY(field, is_first(value, "on", "off"));
    return {};
}

Result<bool> is_first(const SettingValue& value, std::string_view first, std::string_view second) {
    NOTSO_TRY(const std::string text, one(value));
    if (text != first && text != second)
        return bad_value(value, fmt::format("one of {}, {}", first, second));
    return text == first;
}

}  // namespace notso::app
