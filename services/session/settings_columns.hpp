// The columns that every table with settings in it has: of conversations, owners, presets,
// journals.
#pragma once

#include <string_view>

#include "services/session/chat_settings.hpp"
#include "services/session/sqlite.hpp"

namespace notso::services {

inline constexpr std::string_view kSettingsColumns =
    "system_prompt, temperature, top_p, top_k, min_p, repeat_penalty, max_tokens, thinking_budget, "
    "context_size";
inline constexpr std::string_view kSettingsMarks = "?, ?, ?, ?, ?, ?, ?, ?, ?";

/// Binds them to as many parameters from `first` on (1-based).
void bind_settings(sqlite::Statement& statement, int first, const ChatSettings& settings);
/// Reads them from as many columns from `first` on (0-based).
ChatSettings read_settings(const sqlite::Statement& row, int first);

}  // namespace notso::services
