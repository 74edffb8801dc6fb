// The messages of a conversation as the templates see them: in the order of the path that is shown,
// each with its versions.
#pragma once

#include <boost/json.hpp>
#include <string_view>

#include "services/chat/chat_service.hpp"
#include "web/language/language.hpp"

namespace notso::web {

/// Variables `m` of partials/message.html, one object for each message.
/// @param edited  A message that is shown as a form; empty = none.
boost::json::array message_views(const Language& language,
                                 const services::ConversationView& chat,
                                 std::string_view edited = {});

/// Variable `earlier` of partials/earlier.html: the way to what stands before the first message of
/// `chat`.
boost::json::object earlier_view(const services::ConversationView& chat);

}  // namespace notso::web
