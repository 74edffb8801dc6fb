// Shortcuts and slash commands as the templates see them: for the page of help, its dialog, and the
// menu of commands above the composer.
#pragma once

#include <boost/json.hpp>

#include "web/language/language.hpp"

namespace notso::web {

/// Variable `shortcuts` of partials/help.html. What listens to them is in js/.
boost::json::array shortcuts_view(const Language& language);

/// Variable `commands` of partials/help.html and partials/commands.html: those of the page.
boost::json::array commands_view(const Language& language);

}  // namespace notso::web
