#include <algorithm>
#include <optional>

#include "services/archive/archive_json.hpp"
#include "web/routes/archive.hpp"
#include "web/routes/chat.hpp"
#include "web/routes/compat_json.hpp"
#include "web/routes/fragments.hpp"

namespace notso::web {
namespace {

using services::ConversationView;
using services::WholeConversation;

Response as_file(std::string body, std::string content_type, std::string_view name) {
    Response response;
    response.body = std::move(body);
    response.content_type = std::move(content_type);
    response.headers.push_back(
        {"Content-Disposition", fmt::format("attachment; filename=\"{}\"", name)});
    return response;
}

bool has_files(const WholeConversation& whole) {
    return std::ranges::any_of(whole.messages,
                               [](const auto& message) { return !message.files.empty(); });
}

/// Nothing for a conversation with files, which may be large: that is written to the disk first.
Awaitable<Result<std::optional<Response>>> exported(const Pages& pages, const Request& request) {
    const services::ConversationKey key = conversation_of(request);
    const auto given = request.query.find("format");
    const std::string format = given == request.query.end() ? "json" : given->second;
    auto view = co_await open_conversation(pages, key);
    if (!view) co_return std::unexpected(view.error());
    if (format == "md")
        co_return as_file(conversation_markdown(*view), "text/markdown; charset=utf-8", "chat.md");
    if (format != "json")
        co_return fail(ErrorCode::kInvalidArgument, "the format of an export is md or json");
    services::ArchiveDesk* desk = pages.context().archive;
    if (desk == nullptr)
        co_return fail(ErrorCode::kUnsupported, "this server exports nothing but Markdown");
    auto start = [desk, &key](services::Completion<WholeConversation> done) {
        desk->load(key, std::move(done));
    };
    const auto whole = co_await wait_for<WholeConversation>(start);
    if (!whole) co_return std::unexpected(whole.error());
    if (has_files(*whole)) co_return std::nullopt;
    co_return as_file(
        boost::json::serialize(services::to_archive(*whole)), "application/json", "chat.json");
}

Awaitable<> export_chat(Exchange& exchange, const Pages& pages) {
    Result<std::optional<Response>> file = co_await exported(pages, exchange.request());
    if (!file) {
        co_await pages.show_error(exchange, file.error());
        co_return;
    }
    if (*file) {
        co_await exchange.respond(std::move(**file));
        co_return;
    }
    services::ArchiveOrder order{
        .action = services::ArchiveAction::kExport, .path = {}, .owner = exchange.request().owner};
    order.only = conversation_of(exchange.request()).id;
    co_await send_export(exchange, pages, std::move(order), "chat.json");
}

}  // namespace

void add_chat_export_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back({Method::kGet, "/chat/{id}/export", [pages](Exchange& exchange) {
                          return export_chat(exchange, *pages);
                      }});
}

}  // namespace notso::web
