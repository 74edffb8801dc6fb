// The pages of settings. Forms keep what was typed when it can't be used, and say why beside it.
#pragma once

#include <vector>

#include "web/routes/pages.hpp"

namespace notso::web {

/// GET  /settings                   what new chats begin with, presets, colours; ?preset= fills the
/// form with the values of one
/// POST /settings                   the fields of setting_fields.hpp, theme
/// POST /settings/theme             theme: system, light or dark
/// POST /settings/presets           preset (its name), overwrite, and the fields: keeps a preset
/// POST /settings/presets/rename    preset, to
/// POST /settings/presets/delete    preset
/// POST /settings/presets/default   preset: what new chats begin with; empty = the owner's own
void add_settings_routes(std::vector<Route>& routes, const SharedPages& pages);

/// GET  /chat/{id}/settings         the values of this chat
/// POST /chat/{id}/settings         the fields; or take: the name of a preset, or nothing for what
/// new chats begin with
void add_chat_settings_routes(std::vector<Route>& routes, const SharedPages& pages);

/// Keeps the choice in this browser, so that the next page has it before anything is read.
Header theme_cookie(services::Theme theme);

}  // namespace notso::web
