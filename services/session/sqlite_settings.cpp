// SqliteStore: what owners have set, their presets among it.
#include <algorithm>
#include <array>
#include <utility>

#include "services/session/message_names.hpp"
#include "services/session/settings_columns.hpp"
#include "services/session/sqlite_store.hpp"
#include "services/session/store_errors.hpp"

namespace notso::services {
namespace {

using sqlite::Statement;
using sqlite::Transaction;

std::optional<double> real_of(const Statement& row, int column) {
    return row.is_null(column) ? std::nullopt : std::optional(row.real(column));
}

std::optional<std::int64_t> integer_of(const Statement& row, int column) {
    return row.is_null(column) ? std::nullopt : std::optional(row.integer(column));
}

/// An unbound parameter is NULL.
void bind_if(Statement& statement, int index, const auto& value) {
    if (value) statement.bind(index, *value);
}

}  // namespace

void bind_settings(Statement& statement, int first, const ChatSettings& settings) {
    statement.bind(first, settings.system_prompt);
    bind_if(statement, first + 1, settings.temperature);
    bind_if(statement, first + 2, settings.top_p);
    bind_if(statement, first + 3, settings.top_k);
    bind_if(statement, first + 4, settings.min_p);
    bind_if(statement, first + 5, settings.repeat_penalty);
    bind_if(statement, first + 6, settings.max_tokens);
    bind_if(statement, first + 7, settings.thinking_budget);
    bind_if(statement, first + 8, settings.context_size);
}

ChatSettings read_settings(const Statement& row, int first) {
    return {.system_prompt = row.text(first),
            .temperature = real_of(row, first + 1),
            .top_p = real_of(row, first + 2),
            .top_k = integer_of(row, first + 3),
            .min_p = real_of(row, first + 4),
            .repeat_penalty = real_of(row, first + 5),
            .max_tokens = integer_of(row, first + 6),
            .thinking_budget = integer_of(row, first + 7),
            .context_size = integer_of(row, first + 8)};
}

Result<OwnerSettings> SqliteStore::owner_settings(const OwnerId& owner) {
    OwnerSettings settings;
    NOTSO_TRY(Statement own,
              database_->prepare(fmt::format(
                  "SELECT theme, default_preset, quiet, {} FROM owner_settings WHERE owner = ?",
                  kSettingsColumns)));
    NOTSO_TRY(const bool found, own.bind(1, owner.value).step());
    if (!found) return settings;
    settings.theme = value_of<Theme>(own.text(0), kThemeNames);
    settings.default_preset = own.text(1);
    settings.quiet = own.integer(2) != 0;
    settings.values = read_settings(own, 3);
    NOTSO_TRY(Statement presets,
              database_->prepare(fmt::format(
                  "SELECT name, {} FROM preset WHERE owner = ? ORDER BY name", kSettingsColumns)));
    presets.bind(1, owner.value);
    NOTSO_TRY(settings.presets, sqlite::read_all<Preset>(presets, [](const Statement& row) {
                  return Preset{row.text(0), read_settings(row, 1)};
              }));
    return settings;
}

Result<> SqliteStore::put_owner_settings(const OwnerId& owner, const OwnerSettings& settings) {
    if (owner == OwnerId{}) return no_owner();
    NOTSO_TRY(Transaction transaction, Transaction::begin(*database_));
    NOTSO_TRY(Statement remove, database_->prepare("DELETE FROM owner_settings WHERE owner = ?"));
    NOTSO_CHECK(remove.bind(1, owner.value).run());
    NOTSO_TRY(
        Statement own,
        database_->prepare(fmt::format(
            "INSERT INTO owner_settings (owner, theme, default_preset, quiet, {}) VALUES (?, ?, "
            "?, ?, {})",
            kSettingsColumns,
            kSettingsMarks)));
    own.bind(1, owner.value).bind(2, name_of(settings.theme)).bind(3, settings.default_preset);
    own.bind(4, std::int64_t{settings.quiet});
    bind_settings(own, 5, settings.values);
    NOTSO_CHECK(own.run());
    for (const Preset& preset : settings.presets) {
        NOTSO_TRY(
            Statement put,
            database_->prepare(fmt::format("INSERT INTO preset (owner, name, {}) VALUES (?, ?, {})",
                                           kSettingsColumns,
                                           kSettingsMarks)));
        put.bind(1, owner.value).bind(2, preset.name);
        bind_settings(put, 3, preset.values);
        NOTSO_CHECK(put.run());
    }
    NOTSO_CHECK(transaction.commit());
    shed_log();
    return {};
}

}  // namespace notso::services
