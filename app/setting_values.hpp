// What values of settings have in common, whatever they are for: how they are read, and what is
// said about those that can't be.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings.hpp"

namespace notso::app {

/// "--port: x is not a whole number": names where the value came from.
std::unexpected<Error> bad_value(const SettingValue& value, std::string_view allowed);

/// The only value. @errors kInvalidArgument: there are several, or it is empty.
Result<std::string> one(const SettingValue& value);
Result<std::int64_t> whole_number(const SettingValue& value, std::int64_t low, std::int64_t high);

/// One of two words; true for the first.
Result<bool> is_first(const SettingValue& value, std::string_view first, std::string_view second);

Result<> set_string(std::string& field, const SettingValue& value);
Result<> set_path(std::filesystem::path& field, const SettingValue& value);
/// "on" or "off".
Result<> set_switch(std::optional<bool>& field, const SettingValue& value);

/// What settings_owners.cpp adds to the table.
std::vector<SettingRow> owner_setting_rows();

}  // namespace notso::app
