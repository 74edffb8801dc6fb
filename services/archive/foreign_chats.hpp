// Conversations as other programs export them: ChatGPT's conversations.json and Open WebUI's chats.
#pragma once

#include <boost/json.hpp>

#include "base/result.hpp"
#include "services/session/session_store.hpp"

namespace notso::services {

/// An object of ChatGPT's conversations.json: all its versions, with what tools wrote as part of
/// the answer; pictures and files are named in brackets.
/// @errors kInvalidArgument naming the member.
Result<WholeConversation> from_chatgpt(const boost::json::object& object);

/// An object of Open WebUI's export of chats. @errors kInvalidArgument naming the member.
Result<WholeConversation> from_open_webui(const boost::json::object& object);

/// What can be read of an object, by the members that it has. @errors kInvalidArgument: none of the
/// three formats; the format's own.
Result<WholeConversation> from_any(const boost::json::object& object);

}  // namespace notso::services
