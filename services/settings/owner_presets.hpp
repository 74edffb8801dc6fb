// What owners do with their settings and presets: pure changes of OwnerSettings, checked. Whoever
// calls keeps the result.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "services/session/chat_settings.hpp"

namespace notso::services {

inline constexpr std::size_t kMaxPresets = 50;
inline constexpr std::size_t kMaxPresetNameCharacters = 60;

/// A preset to be made, or to be overwritten.
struct NewPreset {
    std::string name;  ///< White space around it does not count.
    ChatSettings values = {};
    bool overwrite = false;
};

/// @errors kInvalidArgument: the name is empty, too long or no line of UTF-8, or there are too
/// many; kAlreadyExists: there is one, and it is not to be overwritten.
Result<> save_preset(OwnerSettings& settings, NewPreset preset);
/// The choice of the default follows. @errors as save_preset(); kNotFound.
Result<> rename_preset(OwnerSettings& settings, std::string_view from, std::string_view to);
/// New chats have the owner's own values again, where it was their preset. @errors kNotFound.
Result<> delete_preset(OwnerSettings& settings, std::string_view name);
/// New chats begin with it; empty: with the owner's own values. @errors kNotFound.
Result<> choose_preset(OwnerSettings& settings, std::string_view name);

/// The values of a preset; of an empty name, the owner's own. @errors kNotFound.
Result<ChatSettings> preset_values(const OwnerSettings& settings, std::string_view name);
/// What a new conversation begins with.
ChatSettings starting_values(const OwnerSettings& settings);
/// "light", "dark" or "system". @errors kInvalidArgument naming all three.
Result<Theme> parse_theme(std::string_view name);

}  // namespace notso::services
