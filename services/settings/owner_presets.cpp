#include "services/settings/owner_presets.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "services/template/unicode/unicode.hpp"

namespace notso::services {
namespace {

Result<std::string> checked_name(std::string_view given) {
    const bool valid = is_valid_utf8(given);
    const std::string_view name =
        valid ? unicode::strip(given, unicode::Side::kBoth) : std::string_view();
    const bool fits = unicode::count_code_points(name) <= kMaxPresetNameCharacters;
    const bool is_line = std::ranges::none_of(
        name, [](char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F; });
    if (!name.empty() && fits && is_line) return std::string(name);
    return fail(ErrorCode::kInvalidArgument,
                "The name of a preset must have 1 to {} characters on one line",
                kMaxPresetNameCharacters);
}

std::unexpected<Error> name_taken(std::string_view name) {
    return fail(ErrorCode::kAlreadyExists,
                "There is a preset “{}” already: choose another name, or overwrite it",
                name);
}

std::unexpected<Error> no_preset(std::string_view name) {
    return fail(ErrorCode::kNotFound, "there is no preset {}: it was deleted", log::field(name));
}

auto find_preset(auto& settings, std::string_view name) {
    return std::ranges::find(settings.presets, name, &Preset::name);
}

}  // namespace

Result<> save_preset(OwnerSettings& settings, NewPreset preset) {
    NOTSO_TRY(std::string name, checked_name(preset.name));
    const auto found = find_preset(settings, name);
    if (found != settings.presets.end()) {
        if (!preset.overwrite) return name_taken(name);
        found->values = std::move(preset.values);
        return {};
    }
    if (settings.presets.size() >= kMaxPresets) {
        return fail(ErrorCode::kInvalidArgument,
                    "There are {} presets, which is the most: delete one first",
                    kMaxPresets);
    }
    settings.presets.push_back({std::move(name), std::move(preset.values)});
    std::ranges::sort(settings.presets, {}, &Preset::name);
    return {};
}

Result<> rename_preset(OwnerSettings& settings, std::string_view from, std::string_view to) {
    const auto found = find_preset(settings, from);
    if (found == settings.presets.end()) return no_preset(from);
    NOTSO_TRY(std::string name, checked_name(to));
    if (name == from) return {};
    if (find_preset(settings, name) != settings.presets.end()) return name_taken(name);
    if (settings.default_preset == from) settings.default_preset = name;
    found->name = std::move(name);
    std::ranges::sort(settings.presets, {}, &Preset::name);
    return {};
}

Result<> delete_preset(OwnerSettings& settings, std::string_view name) {
    const auto found = find_preset(settings, name);
    if (found == settings.presets.end()) return no_preset(name);
    if (settings.default_preset == name) settings.default_preset.clear();
    settings.presets.erase(found);
    return {};
}

Result<> choose_preset(OwnerSettings& settings, std::string_view name) {
    if (!name.empty() && find_preset(settings, name) == settings.presets.end())
        return no_preset(name);
    settings.default_preset = name;
    return {};
}

Result<ChatSettings> preset_values(const OwnerSettings& settings, std::string_view name) {
    if (name.empty()) return settings.values;
    const auto found = find_preset(settings, name);
    if (found == settings.presets.end()) return no_preset(name);
    return found->values;
}

ChatSettings starting_values(const OwnerSettings& settings) {
    return preset_values(settings, settings.default_preset).value_or(settings.values);
}

Result<Theme> parse_theme(std::string_view name) {
    const auto* found = std::ranges::find(kThemeNames, name);
    if (found != kThemeNames.end()) return static_cast<Theme>(found - kThemeNames.begin());
    return fail(ErrorCode::kInvalidArgument,
                "The colours are “{}”; they must be system, light or dark",
                repair_utf8(truncate_utf8(name, 40)));
}

}  // namespace notso::services
