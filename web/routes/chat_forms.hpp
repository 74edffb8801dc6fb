// What the routes of forms on the chat page have in common.
#pragma once

#include <map>
#include <string>

#include "web/routes/pages.hpp"

namespace notso::web {

using Form = std::map<std::string, std::string>;

/// Empty when the form does not have it.
std::string field(const Form& form, const std::string& name);

/// Forms send line ends as CR LF; a message has LF.
std::string with_unix_lines(std::string text);

/// Whether the default model answers now: refused before anything is stored, so that the person's
/// text stays in the composer. @errors kUnavailable.
Result<> check_ready(const AppContext& context);
/// @errors kOverloaded when nobody gets in.
Result<> check_room(AppContext& context);
/// Both, for the model of a conversation.
Awaitable<Result<>> check_ready(const Pages& pages, const services::ConversationKey& key);

/// Where to go after a form that a browser without script sent.
std::string follow_path(const services::ConversationKey& key);

using Action = Awaitable<> (*)(Exchange&, const Pages&);
Route action_route(const SharedPages& pages, std::string pattern, Action action, BodyLimit body);

}  // namespace notso::web
