// Tools of an MCP server as this program has them: what the server says of them, within limits, and
// what its answers mean.
#pragma once

#include <boost/json.hpp>
#include <memory>
#include <string>
#include <vector>

#include "services/tools/tool_box.hpp"

namespace notso::services {

class McpServer;

/// "server__tool", of [A-Za-z0-9_-] and at most 64 long; what is cut or replaced is told apart by a
/// hash.
std::string mcp_tool_name(std::string_view server, std::string_view tool);

/// A tool from an entry of tools/list; null when the entry is none or over the limits.
/// @param place  Where calls go, for people: the server's name, and its host when it is remote.
ToolPtr make_mcp_tool(const boost::json::value& entry,
                      std::string_view server_name,
                      std::string_view place,
                      std::weak_ptr<McpServer> server,
                      std::chrono::milliseconds timeout);

/// The result of tools/call as text.
ToolOutput mcp_output(const boost::json::object& result);

}  // namespace notso::services
