// mcp.json: which MCP servers there are, in the shape that other programs use as well:
//   {"mcpServers": {"files": {"command": "npx", "args": ["…"], "env": {"A": "b"}},
//                   "wiki":  {"url": "https://…", "headers": {"Authorization": "Bearer …"}}}}
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "services/net/http_client.hpp"

namespace notso::services {

struct McpServerConfig {
    std::string name;
    // Either a program…
    std::string command = {};
    std::vector<std::string> arguments = {};
    std::vector<std::string> environment = {};  ///< "NAME=value"; may hold secrets.
    // …or an address.
    std::string url = {};
    std::vector<HttpHeader> headers = {};  ///< May hold secrets: never logged.

    bool is_remote() const { return !url.empty(); }
};

/// A file that is not there has no servers. Servers with "disabled": true are left out.
/// @errors kInvalidArgument naming the file, the server and the key.
Result<std::vector<McpServerConfig>> read_mcp_config(const std::filesystem::path& path);
/// @param source  What messages call it.
Result<std::vector<McpServerConfig>> parse_mcp_config(std::string_view text,
                                                      std::string_view source);

}  // namespace notso::services
