// notso.toml: one flat table whose keys are those of the settings table. Unknown keys are refused
// with their line, so that a typing error never passes silently. Header only: Debian's library is
// built to throw, and errors here are values.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <system_error>

#include "app/settings.hpp"
#include "base/log.hpp"

namespace notso::app {
namespace {

const SettingRow* find_row(std::string_view key) {
    for (const SettingRow& row : setting_table())
        if (row.key == key) return &row;
    return nullptr;
}

std::string known_keys() {
    std::string keys;
    for (const SettingRow& row : setting_table())
        keys += (keys.empty() ? "" : ", ") + std::string(row.key);
    return keys;
}

/// Text of a string, integer or boolean; empty for other types.
std::optional<std::string> scalar_text(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
    return std::nullopt;
}

Result<std::vector<std::string>> node_values(const toml::node& node,
                                             const SettingRow& row,
                                             const std::string& source) {
    std::vector<std::string> values;
    const auto* array = node.as_array();
    if (array != nullptr && row.list) {
        for (const toml::node& element : *array) {
            const auto text = scalar_text(element);
            if (!text)
                return fail(
                    ErrorCode::kInvalidArgument, "{}: {} takes a list of strings", source, row.key);
            values.push_back(*text);
        }
        return values;
    }
    const auto text = scalar_text(node);
    if (!text)
        return fail(ErrorCode::kInvalidArgument,
                    "{}: {} takes {}",
                    source,
                    row.key,
                    row.list ? "a list of strings" : "a string or a whole number");
    values.push_back(*text);
    return values;
}

}  // namespace

Result<SettingValues> read_settings_file(const std::filesystem::path& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error))
        return fail(ErrorCode::kNotFound, "{}: no such settings file", path.string());
    const toml::parse_result parsed = toml::parse_file(path.string());
    if (!parsed)
        return fail(ErrorCode::kInvalidArgument,
                    "{}:{}: {}",
                    path.string(),
                    parsed.error().source().begin.line,
                    parsed.error().description());
    SettingValues values;
    for (const auto& [key, node] : parsed.table()) {
        const std::string source = fmt::format("{}:{}", path.string(), key.source().begin.line);
        const SettingRow* row = find_row(key.str());
        if (row == nullptr)
            return fail(ErrorCode::kInvalidArgument,
                        "{}: unknown setting {}; known are {}",
                        source,
                        log::field(key.str()),
                        known_keys());
        NOTSO_TRY(auto texts, node_values(node, *row, source));
        values.emplace(row->key, SettingValue{std::move(texts), source});
    }
    return values;
}

}  // namespace notso::app
