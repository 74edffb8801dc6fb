// How the value of a setting is read, wherever it comes from: what the rows of the settings' table
// have in common. Errors name the source, the value and what is allowed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "app/settings.hpp"

namespace notso::app {

/// kInvalidArgument.
std::unexpected<Error> bad_value(const SettingValue& value, std::string_view allowed);
/// The only value, not empty.
Result<std::string> one(const SettingValue& value);
Result<std::int64_t> whole_number(const SettingValue& value, std::int64_t low, std::int64_t high);
/// One of two words; true for the first.
Result<bool> is_first(const SettingValue& value, std::string_view first, std::string_view second);
Result<> set_string(std::string& field, const SettingValue& value);
Result<> set_path(std::filesystem::path& field, const SettingValue& value);

}  // namespace notso::app
