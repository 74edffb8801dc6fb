// Which tools there are, which are on, and the box that holds them.
#pragma once

#include <memory>
#include <span>

#include "app/settings.hpp"
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

/// The tools that the settings name.
std::unique_ptr<services::ToolBox> make_tool_box(const Settings& settings);

/// Every built-in tool, for a person who names one.
std::unique_ptr<services::ToolBox> make_full_tool_box();

}  // namespace notso::app
