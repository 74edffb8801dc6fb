// What a person may set about answers, and what an owner keeps of that: data only. What is allowed
// is in services/settings; a conversation has a copy of its own, so that nothing changes behind it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace notso::services {

inline constexpr std::int64_t kMaxThinkingBudget = 131'072;  ///< Tokens.

/// How answers are made. What is absent is the model's or the server's own.
struct ChatSettings {
    std::string system_prompt = {};  ///< Empty: none.
    std::optional<double> temperature = {};
    std::optional<double> top_p = {};
    std::optional<std::int64_t> top_k = {};  ///< 0 = off.
    std::optional<double> min_p = {};
    std::optional<double> repeat_penalty = {};
    std::optional<std::int64_t> max_tokens = {};  ///< Of an answer, its thoughts among them.
    /// Most tokens of thoughts of an answer, 0 = no limit.
    std::optional<std::int64_t> thinking_budget = {};
    /// Most tokens that prompt and answer take; the model's own context where that is smaller.
    std::optional<std::int64_t> context_size = {};

    bool operator==(const ChatSettings&) const = default;
};

/// Settings with a name.
struct Preset {
    std::string name;  ///< Unique for its owner.
    ChatSettings values = {};

    bool operator==(const Preset&) const = default;
};

enum class Theme { kSystem, kLight, kDark };

// In the order of the enumerators.
inline constexpr std::array<std::string_view, 3> kThemeNames = {"system", "light", "dark"};

constexpr std::string_view name_of(Theme theme) {
    return kThemeNames.at(static_cast<std::size_t>(theme));
}

/// Everything that an owner has set.
struct OwnerSettings {
    ChatSettings values = {};         ///< Of new conversations, unless a preset is chosen for them.
    std::string default_preset = {};  ///< Empty: none.
    Theme theme = Theme::kSystem;
    bool quiet = false;                ///< Answers take half of the processor's cores.
    std::vector<Preset> presets = {};  ///< By name.

    bool operator==(const OwnerSettings&) const = default;
};

}  // namespace notso::services
