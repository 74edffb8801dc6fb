#include "web/routes/tools.hpp"

#include "web/pages/format.hpp"
#include "web/pages/tool_list_view.hpp"
#include "web/routes/chat_forms.hpp"

namespace notso::web {
namespace {

namespace json = boost::json;
using services::ToolOffer;

constexpr const char* kPath = "/tools";

Awaitable<Result<std::vector<ToolOffer>>> list_tools(const Pages& pages, const Request& request) {
    auto start = [&pages, &request](services::Completion<std::vector<ToolOffer>> done) {
        pages.context().chat.list_tools(request.owner, std::move(done));
    };
    co_return co_await wait_for<std::vector<ToolOffer>>(start);
}

Awaitable<> tools_page(Exchange& exchange, const Pages& pages) {
    const auto offers = co_await list_tools(pages, exchange.request());
    if (!offers) {
        co_await pages.show_error(exchange, offers.error());
        co_return;
    }
    const PageFrame frame =
        co_await pages.frame(exchange.request(), text_for(exchange.request(), "Tools"));
    json::object view = frame_view(frame);
    view["plain"] = true;
    view["tools"] = tool_offers_view(frame.language, *offers);
    view["servers"] = json::array{};
    if (const services::McpClient* servers = pages.context().mcp)
        view["servers"] = mcp_servers_view(frame.language, servers->status());
    view["deaf"] =
        frame.health.state == services::HealthState::kReady && !frame.model.can_call_tools;
    Response response;
    response.body = co_await pages.render(exchange.request(), "tools.html", std::move(view));
    co_await exchange.respond(std::move(response));
}

Awaitable<> post_ask(Exchange& exchange, const Pages& pages) {
    const Result<Form> form = exchange.request().form();
    Result<> changed;
    if (!form) changed = std::unexpected(form.error());
    auto start = [&](services::Completion<> done) {
        pages.context().chat.ask_again(
            exchange.request().owner, field(*form, "tool"), std::move(done));
    };
    if (form) changed = co_await wait_for<void>(start);
    if (!changed) {
        co_await pages.show_error(exchange, changed.error());
        co_return;
    }
    Response response = see_other(kPath);
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_tool_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back({Method::kGet, kPath, [pages](Exchange& exchange) {
                          return tools_page(exchange, *pages);
                      }});
    routes.push_back(action_route(pages, "/tools/ask", post_ask, BodyLimit::kSmall));
}

}  // namespace notso::web
