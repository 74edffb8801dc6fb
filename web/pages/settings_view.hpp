// Forms of settings as the templates see them: what was typed stays, what is wrong is said beside
// it.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "services/settings/setting_fields.hpp"
#include "web/language/language.hpp"

namespace notso::web {

/// A form as somebody filled it in.
struct SettingsForm {
    std::map<std::string, std::string> typed = {};   ///< By name of the field.
    std::map<std::string, std::string> errors = {};  ///< The same; empty: every value can be used.
    services::ChatSettings values = {};              ///< Those that can.
};

/// The form as it is shown first.
SettingsForm shown_form(const services::ChatSettings& values);
/// What somebody sent. @param fields  Those that are missing are empty.
SettingsForm read_form(const std::map<std::string, std::string>& fields,
                       const services::SettingLimits& limits);

/// Variable `settings` of settings.html: fields, the system prompt, errors.
boost::json::object settings_view(const Language& language,
                                  const SettingsForm& form,
                                  const services::SettingLimits& limits);

/// The presets of an owner, each with what it sets in a line.
boost::json::array presets_view(const Language& language, const services::OwnerSettings& settings);

/// "Temperature 0.7 · Top-p 0.9 · System prompt: “Be brief.”"; of no values, that it is so.
std::string summary_of(const Language& language, const services::ChatSettings& values);

}  // namespace notso::web
