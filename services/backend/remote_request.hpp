// A chat request as an OpenAI-compatible server wants it.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "services/backend/chat_backend.hpp"

namespace notso::services {

/// Where below the base address a request goes: "/chat/completions", or "/completions" for plain
/// text.
std::string_view remote_path(const ChatRequest& request);

/// The body, but for "model" and the template's variables: what is not set in `request` is left
/// out, so that the server's own defaults hold. A frozen date can't be passed on; the server uses
/// its own clock.
boost::json::object remote_body(const ChatRequest& request);

/// Variables of the chat template, the thinking switch among them. Strict servers refuse the field
/// that carries them, so it is added apart. Empty for plain text.
boost::json::object remote_template_variables(const ChatRequest& request);

}  // namespace notso::services
