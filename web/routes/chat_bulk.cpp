// Several conversations at once: the list with boxes to tick, archiving or deleting what is ticked,
// taking that back.
#include "web/pages/format.hpp"
#include "web/routes/chat.hpp"
#include "web/routes/chat_forms.hpp"

namespace notso::web {
namespace {

using services::Conversation;
using services::ConversationKey;

constexpr std::string_view kBox = "chat-";  // and the id: a form has one field per ticked box
constexpr const char* kListPath = "/chats";

std::vector<ConversationKey> ticked(const Request& request, const Form& form) {
    std::vector<ConversationKey> keys;
    for (const auto& [name, value] : form) {
        if (name.starts_with(kBox))
            keys.emplace_back(request.owner, services::ConversationId{name.substr(kBox.size())});
    }
    return keys;
}

/// What was deleted a moment ago, so that the page can offer it back.
boost::json::array deleted_view(const std::vector<ConversationKey>& keys) {
    boost::json::array view;
    for (const ConversationKey& key : keys) view.emplace_back(std::string(kBox) + key.id.value);
    return view;
}

Awaitable<> show_list(Exchange& exchange,
                      const Pages& pages,
                      std::vector<ConversationKey> deleted) {
    const PageFrame frame =
        co_await pages.frame(exchange.request(), text_for(exchange.request(), "All chats"));
    boost::json::object view = frame_view(frame);
    view["plain"] = true;
    view["deleted_boxes"] = deleted_view(deleted);
    view["deleted_count"] = format_counted(frame.language, std::ssize(deleted), "chat");
    Response response;
    response.body = co_await pages.render(exchange.request(), "chats.html", std::move(view));
    co_await exchange.respond(std::move(response));
}

Awaitable<> get_chats(Exchange& exchange, const Pages& pages) {
    std::vector<ConversationKey> none;
    co_await show_list(exchange, pages, std::move(none));
}

Awaitable<Result<>> remove(const Pages& pages, const ConversationKey& key) {
    auto start = [&pages, &key](services::Completion<> done) {
        pages.context().chat.remove(key, std::move(done));
    };
    co_return co_await wait_for<void>(start);
}

Awaitable<Result<>> restore(const Pages& pages, const ConversationKey& key) {
    auto start = [&pages, &key](services::Completion<Conversation> done) {
        pages.context().chat.restore(key, std::move(done));
    };
    const auto restored = co_await wait_for<Conversation>(start);
    if (!restored) co_return std::unexpected(restored.error());
    co_return Result<>{};
}

using Change = Awaitable<Result<>> (*)(const Pages&, const ConversationKey&);

/// The first failure ends it; what was changed until then stays changed, and the list shows it.
Awaitable<Result<std::vector<ConversationKey>>> change_ticked(Exchange& exchange,
                                                              const Pages& pages,
                                                              Change change) {
    const Result<Form> form = exchange.request().form();
    if (!form) co_return std::unexpected(form.error());
    std::vector<ConversationKey> keys = ticked(exchange.request(), *form);
    if (keys.empty())
        co_return fail(ErrorCode::kInvalidArgument, "no chat is ticked: tick those that you mean");
    for (const ConversationKey& key : keys) {
        const Result<> changed = co_await change(pages, key);
        if (!changed) co_return std::unexpected(changed.error());
    }
    co_return keys;
}

Awaitable<> post_delete_chosen(Exchange& exchange, const Pages& pages) {
    auto deleted = co_await change_ticked(exchange, pages, remove);
    if (!deleted) {
        co_await pages.show_error(exchange, deleted.error());
        co_return;
    }
    co_await show_list(exchange, pages, *std::move(deleted));
}

Awaitable<Result<>> archive(const Pages& pages, const ConversationKey& key) {
    auto start = [&pages, &key](services::Completion<Conversation> done) {
        pages.context().chat.set_archived(key, true, std::move(done));
    };
    const auto archived = co_await wait_for<Conversation>(start);
    if (!archived) co_return std::unexpected(archived.error());
    co_return Result<>{};
}

Awaitable<> post_archive_chosen(Exchange& exchange, const Pages& pages) {
    const auto archived = co_await change_ticked(exchange, pages, archive);
    if (!archived) {
        co_await pages.show_error(exchange, archived.error());
        co_return;
    }
    Response response = see_other("/archived");
    co_await exchange.respond(std::move(response));
}

Awaitable<> post_restore_chosen(Exchange& exchange, const Pages& pages) {
    const auto restored = co_await change_ticked(exchange, pages, restore);
    if (!restored) {
        co_await pages.show_error(exchange, restored.error());
        co_return;
    }
    Response response = see_other(kListPath);
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_chat_bulk_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back({Method::kGet, kListPath, [pages](Exchange& exchange) {
                          return get_chats(exchange, *pages);
                      }});
    routes.push_back(action_route(pages, "/chats/delete", post_delete_chosen, BodyLimit::kSmall));
    routes.push_back(action_route(pages, "/chats/archive", post_archive_chosen, BodyLimit::kSmall));
    routes.push_back(action_route(pages, "/chats/restore", post_restore_chosen, BodyLimit::kSmall));
}

}  // namespace notso::web
