#include "web/pages/tool_list_view.hpp"

#include <string>

#include "web/pages/format.hpp"
#include "web/pages/tool_view.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
using services::McpState;
using services::McpStatus;
using services::ToolOffer;
using services::ToolPolicy;

std::string_view rule_of(const Language& language, const ToolOffer& offer) {
    if (!offer.there)
        return language.text("It is not there now. When it is again, it runs without asking.");
    if (offer.info.policy == ToolPolicy::kRunsFreely) return language.text("Runs by itself.");
    return language.text(offer.always ? "Runs without asking, because you always allow it."
                                      : "Asks before each call.");
}

std::string state_of(const Language& language, const McpStatus& server) {
    switch (server.state) {
        case McpState::kStarting:
            return std::string(language.text("is being reached"));
        case McpState::kReady:
            return format_counted(language, static_cast<std::int64_t>(server.n_tools), "tool");
        case McpState::kFailed:
            break;
    }
    return std::string(language.text("does not answer"));
}

}  // namespace

json::array tool_offers_view(const Language& language, const std::vector<ToolOffer>& offers) {
    json::array view;
    for (const ToolOffer& offer : offers) {
        const services::ToolInfo& info = offer.info;
        view.push_back(json::object{{"name", info.name},
                                    {"title", info.title.empty() ? spaced(info.name) : info.title},
                                    {"description", info.description},
                                    {"sends_to", info.sends_to},
                                    {"rule", rule_of(language, offer)},
                                    {"always", offer.always}});
    }
    return view;
}

json::array mcp_servers_view(const Language& language, const std::vector<McpStatus>& servers) {
    json::array view;
    for (const McpStatus& server : servers) {
        const bool failed = server.state == McpState::kFailed;
        view.push_back(
            json::object{{"name", server.name},
                         {"state", state_of(language, server)},
                         {"error", failed ? format_sentence(language, server.detail) : ""}});
    }
    return view;
}

}  // namespace notso::web
