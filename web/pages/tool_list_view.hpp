// The page of tools as its template sees it.
#pragma once

#include <boost/json.hpp>
#include <vector>

#include "services/chat/chat_service.hpp"
#include "services/mcp/server.hpp"
#include "web/language/language.hpp"

namespace notso::web {

/// Variable `tools` of tools.html.
boost::json::array tool_offers_view(const Language& language,
                                    const std::vector<services::ToolOffer>& offers);

/// Variable `servers` of tools.html: MCP servers and how they are.
boost::json::array mcp_servers_view(const Language& language,
                                    const std::vector<services::McpStatus>& servers);

}  // namespace notso::web
