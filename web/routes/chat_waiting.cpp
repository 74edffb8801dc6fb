#include "web/routes/chat_waiting.hpp"

#include "web/routes/chat_forms.hpp"
#include "web/routes/fragments.hpp"

namespace notso::web {

Awaitable<> show_waiting(Exchange& exchange, const Pages& pages) {
    const services::ConversationKey key = conversation_of(exchange.request());
    const auto view = co_await open_conversation(pages, key);
    if (!view) {
        co_await pages.show_error(exchange, view.error());
        co_return;
    }
    Response response = see_other(follow_path(key));
    if (exchange.request().is_htmx()) {
        response = {};
        response.body = waiting_html(pages.renderer(exchange.request()), *view);
    }
    co_await exchange.respond(std::move(response));
}

Awaitable<> post_withdraw(Exchange& exchange, const Pages& pages) {
    const services::ConversationKey key = conversation_of(exchange.request());
    const Result<Form> form = exchange.request().form();
    Result<services::WaitingMessage> taken =
        form ? Result<services::WaitingMessage>() : std::unexpected(form.error());
    auto start = [&](services::Completion<services::WaitingMessage> done) {
        pages.context().chat.withdraw(key, field(*form, "client_id"), std::move(done));
    };
    if (form) taken = co_await wait_for<services::WaitingMessage>(start);
    if (!taken) {
        co_await pages.show_error(exchange, taken.error());
        co_return;
    }
    if (exchange.request().is_htmx()) {
        co_await show_waiting(exchange, pages);
        co_return;
    }
    const auto view = co_await open_conversation(pages, key);
    if (!view) {
        co_await pages.show_error(exchange, view.error(), taken->text);
        co_return;
    }
    PageFrame frame = co_await pages.frame(
        exchange.request(), title_of(Language::of(exchange.request()), view->conversation));
    frame.current = key.id.value;
    Pages::show_model(frame, view->conversation.model);
    Response response;
    response.body = co_await pages.render(
        exchange.request(), "chat.html", chat_view(frame, *view, {.draft = taken->text}));
    co_await exchange.respond(std::move(response));
}

}  // namespace notso::web
