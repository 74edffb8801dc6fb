// Conversations as the /api endpoints show them: JSON, and Markdown for export.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "services/chat/chat_service.hpp"
#include "web/http/message.hpp"

namespace notso::web {

boost::json::object message_json(const services::Message& message);
/// Settings, messages and how full the context is.
boost::json::object conversation_json(const services::ConversationView& view,
                                      std::int64_t context_length);
boost::json::object model_info_json(const services::ModelInfo& info);
/// One heading per message; thinking is left out.
std::string conversation_markdown(const services::ConversationView& view);

/// A JSON response with status 200.
Response json_response(const boost::json::object& object);

}  // namespace notso::web
