// Which tools there are, which are on, and the box that holds them.
#pragma once

#include <memory>
#include <span>

#include "app/settings.hpp"
#include "services/mcp/server.hpp"
#include "services/tools/tool_box.hpp"

namespace notso::app {

/// One row per built-in tool.
struct ToolRow {
    const char* name;
    bool on_by_default;
    services::ToolPtr (*make)();
};

/// In the order in which models see them.
std::span<const ToolRow> tool_table();

/// Reads the setting: names from the table, or "none".
Result<> set_tools(Settings& settings, const SettingValue& value);

/// The tools of a running program and the MCP servers behind some of them.
struct Tools {
    std::shared_ptr<services::McpClient> servers;
    std::unique_ptr<services::ToolBox> box;  ///< Goes first.
};

/// The built-in tools that the settings name, and those of the servers in mcp.json of the data
/// folder. A file that can't be read has no servers, and says why in the log.
Tools make_tools(const Settings& settings);

/// Every built-in tool, for a person who names one (or wants a list: empty). Servers are started
/// only where the name is no built-in tool's.
/// @errors mcp.json can't be read.
Result<Tools> make_all_tools(const Settings& settings, std::string_view name);

}  // namespace notso::app
