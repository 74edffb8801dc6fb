// Resolving settings: later sources of the list below win over earlier ones.
#include "app/settings.hpp"

#include <cstdlib>

#include "app/paths.hpp"

namespace notso::app {
namespace {

std::optional<SettingValue> from_environment(const SettingRow& row,
                                             const Environment& environment) {
    for (const char* name : row.environment) {
        const auto text = environment(name);
        if (!text || text->empty()) continue;  // An empty variable is how scripts unset one.
        return SettingValue{row.list ? split_list(*text) : std::vector{*text}, name};
    }
    return std::nullopt;
}

Result<SettingValues> file_values(const SettingSources& sources) {
    if (sources.file) return read_settings_file(*sources.file);
    std::error_code ignored;
    if (!std::filesystem::exists("notso.toml", ignored)) return SettingValues{};
    return read_settings_file("notso.toml");
}

}  // namespace

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const auto comma = text.find(',');
        if (comma != 0) parts.emplace_back(text.substr(0, comma));
        text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    }
    return parts;
}

Environment process_environment() {
    return [](const char* name) -> std::optional<std::string> {
        const char* value = std::getenv(name);
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
}

Result<Settings> resolve_settings(const SettingSources& sources) {
    Settings settings;
    settings.models_dir = default_models_dir(sources.environment);
    settings.data_dir = default_data_dir(sources.environment);
    NOTSO_TRY(const SettingValues file, file_values(sources));
    for (const SettingRow& row : setting_table()) {
        if (const auto flag = sources.flags.find(row.key); flag != sources.flags.end()) {
            NOTSO_CHECK(row.set(settings, flag->second));
        } else if (const auto variable = from_environment(row, sources.environment)) {
            NOTSO_CHECK(row.set(settings, *variable));
        } else if (const auto entry = file.find(row.key); entry != file.end()) {
            NOTSO_CHECK(row.set(settings, entry->second));
        }
    }
    if (settings.backend == BackendKind::kRemote && !settings.remote_url) {
        return fail(ErrorCode::kInvalidArgument,
                    "the remote backend needs an address: give --remote-url");
    }
    return settings;
}

}  // namespace notso::app
