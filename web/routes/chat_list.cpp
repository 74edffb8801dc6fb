#include "base/utf8.hpp"
#include "web/pages/answer_painter.hpp"
#include "web/pages/format.hpp"
#include "web/pages/search_view.hpp"
#include "web/routes/chat.hpp"
#include "web/routes/chat_forms.hpp"

namespace notso::web {
namespace {

using services::Conversation;
using services::ConversationKey;
using services::SearchHit;

constexpr std::size_t kIdCharacters = 32;

bool is_blank(std::string_view text) {
    return text.find_first_not_of(kWhiteSpace) == std::string_view::npos;
}

/// The conversation that the page of a request shows, as htmx names it.
std::string shown_conversation(const Request& request) {
    constexpr std::string_view kPath = "/chat/";
    const std::string_view url = request.header("hx-current-url");
    const std::size_t at = url.find(kPath);
    if (at == std::string_view::npos) return {};
    return std::string(url.substr(at + kPath.size(), kIdCharacters));
}

/// Takes the place of the list while somebody types, and tells how much there is to hear.
std::string results_html(const PageRenderer& renderer,
                         const std::string& query,
                         const std::vector<SearchHit>& hits) {
    const std::string told = hits.empty()
                                 ? std::string(renderer.language().text("Nothing found"))
                                 : format_counted(renderer.language(), std::ssize(hits), "result");
    return renderer.render("partials/search_results.html",
                           search_view(renderer.language(), query, hits)) +
           partial("search-status", "innerHTML", told);
}

/// A blank search shows the list as it was.
Awaitable<> list_again(Exchange& exchange, const Pages& pages) {
    PageFrame frame =
        co_await pages.frame(exchange.request(), text_for(exchange.request(), "Search"));
    frame.current = shown_conversation(exchange.request());
    Response response;
    response.body = pages.renderer(exchange.request())
                        .render("partials/conversations.html", frame_view(frame)) +
                    partial("search-status", "innerHTML", "");
    co_await exchange.respond(std::move(response));
}

Awaitable<> results_page(Exchange& exchange,
                         const Pages& pages,
                         std::string query,
                         std::vector<SearchHit> hits) {
    const PageFrame frame =
        co_await pages.frame(exchange.request(), text_for(exchange.request(), "Search"));
    boost::json::object view = frame_view(frame);
    for (auto& [name, value] : search_view(frame.language, query, hits))
        view[name] = std::move(value);
    view["plain"] = true;
    Response response;
    response.body = co_await pages.render(exchange.request(), "search.html", std::move(view));
    co_await exchange.respond(std::move(response));
}

Awaitable<> search(Exchange& exchange, const Pages& pages) {
    const auto given = exchange.request().query.find("q");
    const std::string query = given == exchange.request().query.end() ? "" : given->second;
    auto start = [&pages, &exchange, &query](services::Completion<std::vector<SearchHit>> done) {
        pages.context().chat.search(exchange.request().owner, query, std::move(done));
    };
    auto hits = co_await wait_for<std::vector<SearchHit>>(start);
    if (!hits) {
        co_await pages.show_error(exchange, hits.error());
        co_return;
    }
    if (!exchange.request().is_htmx()) {
        co_await results_page(exchange, pages, query, *std::move(hits));
        co_return;
    }
    if (is_blank(query)) {
        co_await list_again(exchange, pages);
        co_return;
    }
    Response response;
    response.body = results_html(pages.renderer(exchange.request()), query, *hits);
    co_await exchange.respond(std::move(response));
}

/// After a form of a browser: on to a page, or the failure.
template <class T>
Awaitable<> go_on(Exchange& exchange, const Pages& pages, Result<T> done, std::string path) {
    if (!done) {
        co_await pages.show_error(exchange, done.error());
        co_return;
    }
    Response response = see_other(std::move(path));
    co_await exchange.respond(std::move(response));
}

Awaitable<> post_pin(Exchange& exchange, const Pages& pages) {
    const ConversationKey key = conversation_of(exchange.request());
    const Result<Form> form = exchange.request().form();
    if (!form) {
        co_await pages.show_error(exchange, form.error());
        co_return;
    }
    auto start = [&](services::Completion<Conversation> done) {
        pages.context().chat.set_pinned(key, form->contains("pinned"), std::move(done));
    };
    const auto pinned = co_await wait_for<Conversation>(start);
    co_await go_on(exchange, pages, pinned, "/chat/" + key.id.value);
}

Awaitable<> post_archive(Exchange& exchange, const Pages& pages) {
    const ConversationKey key = conversation_of(exchange.request());
    const Result<Form> form = exchange.request().form();
    if (!form) {
        co_await pages.show_error(exchange, form.error());
        co_return;
    }
    auto start = [&](services::Completion<Conversation> done) {
        pages.context().chat.set_archived(key, form->contains("archived"), std::move(done));
    };
    const auto changed = co_await wait_for<Conversation>(start);
    co_await go_on(exchange, pages, changed, "/chat/" + key.id.value);
}

/// The list of those that are not in the list beside it.
Awaitable<> archived_page(Exchange& exchange, const Pages& pages) {
    auto start = [&](services::Completion<std::vector<Conversation>> done) {
        pages.context().chat.list_archived(exchange.request().owner, std::move(done));
    };
    auto archived = co_await wait_for<std::vector<Conversation>>(start);
    if (!archived) {
        co_await pages.show_error(exchange, archived.error());
        co_return;
    }
    const PageFrame frame =
        co_await pages.frame(exchange.request(), text_for(exchange.request(), "Archived chats"));
    boost::json::object view = frame_view(frame);
    view["plain"] = true;
    view["archived"] = conversations_view(frame.language, *archived);
    Response response;
    response.body = co_await pages.render(exchange.request(), "archived.html", std::move(view));
    co_await exchange.respond(std::move(response));
}

Awaitable<> post_delete(Exchange& exchange, const Pages& pages) {
    const ConversationKey key = conversation_of(exchange.request());
    auto start = [&pages, &key](services::Completion<> done) {
        pages.context().chat.remove(key, std::move(done));
    };
    const Result<> removed = co_await wait_for<void>(start);
    co_await go_on(exchange, pages, removed, "/?deleted=" + percent_encode(key.id.value));
}

Awaitable<> post_restore(Exchange& exchange, const Pages& pages) {
    const ConversationKey key = conversation_of(exchange.request());
    auto start = [&pages, &key](services::Completion<Conversation> done) {
        pages.context().chat.restore(key, std::move(done));
    };
    const auto restored = co_await wait_for<Conversation>(start);
    co_await go_on(exchange, pages, restored, "/chat/" + key.id.value);
}

}  // namespace

void add_chat_list_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back({Method::kGet, "/archived", [pages](Exchange& exchange) {
                          return archived_page(exchange, *pages);
                      }});
    routes.push_back(action_route(pages, "/chat/{id}/archive", post_archive, BodyLimit::kSmall));
    routes.push_back({Method::kGet, "/search", [pages](Exchange& exchange) {
                          return search(exchange, *pages);
                      }});
    routes.push_back(action_route(pages, "/chat/{id}/pin", post_pin, BodyLimit::kSmall));
    routes.push_back(action_route(pages, "/chat/{id}/delete", post_delete, BodyLimit::kSmall));
    routes.push_back(action_route(pages, "/chat/{id}/restore", post_restore, BodyLimit::kSmall));
}

}  // namespace notso::web
