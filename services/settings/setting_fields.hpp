// What each setting of a conversation is called, and which values it may have: one table, which the
// form of the page, slash commands and imports go by.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"
#include "services/session/chat_settings.hpp"

namespace notso::services {

inline constexpr std::size_t kMaxSystemPromptBytes = std::size_t{16} * 1024;
inline constexpr std::int64_t kLeastContextSize = 512;      ///< Tokens.
inline constexpr std::int64_t kMaxContextSize = 1'048'576;  ///< Of models whose own is not known.

/// A setting that is a number.
struct NumberSetting {
    std::string_view name;   ///< In forms, files and messages.
    std::string_view label;  ///< For people.
    std::string_view about;  ///< What it does, one sentence.
    double least = 0;
    double most = 0;
    std::variant<std::optional<double> ChatSettings::*, std::optional<std::int64_t> ChatSettings::*>
        member;

    bool is_whole() const { return member.index() == 1; }
};

inline constexpr std::string_view kSystemPromptName = "system_prompt";

/// All of them, in the order in which people see them.
std::span<const NumberSetting> number_settings();
/// Null when there is none with this name.
const NumberSetting* find_number_setting(std::string_view name);

/// What the server can do.
struct SettingLimits {
    std::int64_t context = 0;  ///< Most tokens that one of its models reads; 0 = not known.
};

/// The largest value of a setting on this server.
double most_of(const NumberSetting& setting, const SettingLimits& limits);

/// The value as somebody would type it; empty: none.
std::string text_of(const NumberSetting& setting, const ChatSettings& settings);

/// Takes over what somebody typed; nothing but white space: none.
/// @errors kInvalidArgument naming the setting, the text and what is allowed.
Result<> set_number(const NumberSetting& setting,
                    std::string_view text,
                    const SettingLimits& limits,
                    ChatSettings& settings);
/// The same for the system prompt. White space around it does not count.
/// @errors also kTooLarge.
Result<> set_system_prompt(std::string_view text, ChatSettings& settings);

/// All numbers of settings that came from elsewhere. @errors kInvalidArgument for the first that is
/// not allowed.
Result<> check_numbers(const ChatSettings& settings, const SettingLimits& limits);
/// The same, and the system prompt.
Result<> check_settings(const ChatSettings& settings, const SettingLimits& limits);

/// The context that answers with these settings have, of a model's own; 0 = not known.
std::int64_t context_of(std::int64_t model_context, const ChatSettings& settings);

}  // namespace notso::services
