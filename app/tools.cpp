#include "app/tools.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "services/mcp/config.hpp"
#include "services/tools/calculator.hpp"
#include "services/tools/convert_units.hpp"
#include "services/tools/date_time.hpp"
#include "services/tools/notes.hpp"
#include "services/tools/read_document.hpp"
#include "services/tools/text_statistics.hpp"
#include "services/tools/web_fetch.hpp"

namespace notso::app {
namespace {

constexpr ToolRow kTools[] = {
    {"calculator", true, services::make_calculator},
    {"date_time", true, services::make_date_time},
    {"text_statistics", true, services::make_text_statistics},
    {"convert_units", true, services::make_convert_units},
    {"notes", true, services::make_notes},
    {"read_document", true, services::make_read_document},
    {"web_fetch", false, services::make_web_fetch},
};

constexpr const char* kMcpFile = "mcp.json";

bool is_on(const Settings& settings, const ToolRow& row) {
    if (!settings.tools) return row.on_by_default;
    return std::ranges::find(*settings.tools, row.name) != settings.tools->end();
}

Tools with_servers(std::vector<services::ToolPtr> tools,
                   std::vector<services::McpServerConfig> servers) {
    Tools out;
    out.servers = std::make_shared<services::McpClient>(std::move(servers));
    out.box = std::make_unique<services::ToolBox>(
        std::move(tools), std::vector<std::shared_ptr<const services::ToolSource>>{out.servers});
    return out;
}

std::string tool_names() {
    std::string names;
    for (const ToolRow& row : kTools) names += (names.empty() ? "" : ", ") + std::string(row.name);
    return names;
}

}  // namespace

std::span<const ToolRow> tool_table() { return kTools; }

Result<> set_tools(Settings& settings, const SettingValue& value) {
    std::vector<std::string> names;
    for (const std::string& text : value.values) {
        for (std::string& name : split_list(text)) {
            const bool known = std::ranges::find(kTools, name, &ToolRow::name) != std::end(kTools);
            if (!known && name != "none") {
                return fail(ErrorCode::kInvalidArgument,
                            "{}: {} is not a tool; there are: {}",
                            value.source,
                            log::field(name),
                            tool_names());
            }
            if (known) names.push_back(std::move(name));
        }
    }
    settings.tools = std::move(names);
    return {};
}

Tools make_tools(const Settings& settings) {
    std::vector<services::ToolPtr> tools;
    for (const ToolRow& row : kTools) {
        if (is_on(settings, row)) tools.push_back(row.make());
    }
    auto servers = services::read_mcp_config(settings.data_dir / kMcpFile);
    if (!servers) {
        log::error("event=mcp_config_refused why={}", log::field(servers.error().detail));
        servers.emplace();
    }
    return with_servers(std::move(tools), *std::move(servers));
}

Result<Tools> make_all_tools(const Settings& settings, std::string_view name) {
    std::vector<services::ToolPtr> tools;
    for (const ToolRow& row : kTools) tools.push_back(row.make());
    if (std::ranges::find(kTools, name, &ToolRow::name) != std::end(kTools))
        return with_servers(std::move(tools), {});
    NOTSO_TRY(auto servers, services::read_mcp_config(settings.data_dir / kMcpFile));
    return with_servers(std::move(tools), std::move(servers));
}

}  // namespace notso::app
