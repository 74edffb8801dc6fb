#include "web/routes/after_answer.hpp"

#include "services/template/markdown.hpp"
#include "web/pages/answer_painter.hpp"
#include "web/routes/fragments.hpp"

namespace notso::web {
namespace {

Awaitable<> wait_until_settled(const Pages& pages, const services::ConversationKey& key) {
    auto wait = [&pages, &key](services::Completion<> done) {
        pages.context().chat.when_settled(key, std::move(done));
    };
    co_await wait_for<void>(wait);
}

/// Answers when the work is done, which takes some seconds: the page asks once and shows it.
Awaitable<> after_answer(Exchange& exchange, const Pages& pages) {
    const services::ConversationKey key = conversation_of(exchange.request());
    co_await wait_until_settled(pages, key);
    const auto view = co_await open_conversation(pages, key);
    if (!view) {
        co_await pages.show_error(exchange, view.error());
        co_return;
    }
    const std::string title =
        services::escape_html(title_of(Language::of(exchange.request()), view->conversation));
    Response response;
    response.body = partial("title", "innerHTML", title) +
                    partial("chat-" + view->conversation.id.value, "innerHTML", title) +
                    after_html(pages.renderer(exchange.request()), *view);
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_after_answer_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back({Method::kGet, "/chat/{id}/after", [pages](Exchange& exchange) {
                          return after_answer(exchange, *pages);
                      }});
}

}  // namespace notso::web
