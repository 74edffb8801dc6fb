// Messages that are slash commands: what they name is done and told in words; nothing is sent to
// the model. The table of commands is services/commands.
#pragma once

#include <string>

#include "services/chat/chat_service.hpp"
#include "web/pages/page_view.hpp"
#include "web/routes/chat_forms.hpp"

namespace notso::web {

/// Whether a form's message is a command.
bool is_command(const Form& form);

/// Does it and answers the request: htmx hears what was done where it is, or which page follows; a
/// browser goes to the page that says it. What can't be done leaves the text in the composer.
Awaitable<> run_command(Exchange& exchange, const Pages& pages, const Form& form);

/// What a page says after a command that changed its chat, from how the chat is now.
/// @param did  The command's name, of a link: one that is not known says nothing.
std::string told_of_command(std::string_view did,
                            const PageFrame& frame,
                            const services::ConversationView& chat);

}  // namespace notso::web
