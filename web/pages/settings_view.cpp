#include "web/pages/settings_view.hpp"

#include "base/utf8.hpp"
#include "web/pages/format.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
using services::NumberSetting;
using services::SettingLimits;

constexpr std::size_t kExcerptBytes = 80;

std::string typed_value(const std::map<std::string, std::string>& values, std::string_view name) {
    const auto found = values.find(std::string(name));
    return found == values.end() ? std::string() : found->second;
}

/// As people read numbers in their language.
std::string bound_text(const Language& language, const NumberSetting& setting, double value) {
    if (setting.is_whole()) return format_count(language, static_cast<std::int64_t>(value));
    std::string text = fmt::format("{}", value);
    if (const std::size_t point = text.find('.'); point != std::string::npos)
        text.replace(point, 1, language.decimal());
    return text;
}

json::object setting_view(const Language& language,
                          const NumberSetting& setting,
                          const SettingsForm& form,
                          const SettingLimits& limits) {
    return {{"name", setting.name},
            {"label", language.text(setting.label)},
            {"about", language.text(setting.about)},
            {"range",
             language.fill("{} to {}",
                           bound_text(language, setting, setting.least),
                           bound_text(language, setting, most_of(setting, limits)))},
            {"whole", setting.is_whole()},
            {"value", typed_value(form.typed, setting.name)},
            {"error", format_sentence(language, typed_value(form.errors, setting.name))}};
}

std::string prompt_excerpt(std::string_view text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::string_view cut = truncate_utf8(line, kExcerptBytes);
    return std::string(cut) + (cut.size() < text.size() ? "…" : "");
}

void take_outcome(Result<> set, std::string_view name, SettingsForm& form) {
    if (!set) form.errors[std::string(name)] = set.error().detail;
}

}  // namespace

SettingsForm shown_form(const services::ChatSettings& values) {
    SettingsForm form{.values = values};
    form.typed[std::string(services::kSystemPromptName)] = values.system_prompt;
    for (const NumberSetting& setting : services::number_settings())
        form.typed[std::string(setting.name)] = text_of(setting, values);
    return form;
}

SettingsForm read_form(const std::map<std::string, std::string>& fields,
                       const SettingLimits& limits) {
    SettingsForm form;
    const std::string system = typed_value(fields, services::kSystemPromptName);
    form.typed[std::string(services::kSystemPromptName)] = repair_utf8(system);
    take_outcome(set_system_prompt(system, form.values), services::kSystemPromptName, form);
    for (const NumberSetting& setting : services::number_settings()) {
        const std::string text = typed_value(fields, setting.name);
        form.typed[std::string(setting.name)] = repair_utf8(text);
        take_outcome(set_number(setting, text, limits, form.values), setting.name, form);
    }
    return form;
}

json::object settings_view(const Language& language,
                           const SettingsForm& form,
                           const SettingLimits& limits) {
    json::array fields;
    json::array errors;
    const auto add_error = [&](std::string_view name) {
        std::string error = format_sentence(language, typed_value(form.errors, name));
        if (!error.empty())
            errors.push_back(json::object{{"name", name}, {"text", std::move(error)}});
    };
    add_error(services::kSystemPromptName);
    for (const NumberSetting& setting : services::number_settings()) {
        fields.push_back(setting_view(language, setting, form, limits));
        add_error(setting.name);
    }
    add_error("preset");
    return {{"fields", std::move(fields)},
            {"errors", std::move(errors)},
            {"system", typed_value(form.typed, services::kSystemPromptName)},
            {"system_error",
             format_sentence(language, typed_value(form.errors, services::kSystemPromptName))},
            {"system_most",
             format_count(language, static_cast<std::int64_t>(services::kMaxSystemPromptBytes))},
            {"preset", typed_value(form.typed, "preset")},
            {"preset_error", format_sentence(language, typed_value(form.errors, "preset"))},
            {"overwrite", !typed_value(form.typed, "overwrite").empty()}};
}

json::array presets_view(const Language& language, const services::OwnerSettings& settings) {
    json::array presets;
    for (const services::Preset& preset : settings.presets) {
        presets.push_back(json::object{{"name", preset.name},
                                       {"query", percent_encode(preset.name)},
                                       {"number", presets.size() + 1},
                                       {"chosen", preset.name == settings.default_preset},
                                       {"about", summary_of(language, preset.values)}});
    }
    return presets;
}

std::string summary_of(const Language& language, const services::ChatSettings& values) {
    std::string summary;
    const auto add = [&](const std::string& part) {
        summary += (summary.empty() ? "" : " · ") + part;
    };
    for (const NumberSetting& setting : services::number_settings()) {
        const std::string text = text_of(setting, values);
        if (!text.empty()) add(fmt::format("{} {}", language.text(setting.label), text));
    }
    if (!values.system_prompt.empty())
        add(language.fill("System prompt: “{}”", prompt_excerpt(values.system_prompt)));
    return summary.empty() ? std::string(language.text("Everything as the model has it")) : summary;
}

}  // namespace notso::web
