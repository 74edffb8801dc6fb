#include "web/routes/chat_waiting.hpp"

#include "web/routes/chat_forms.hpp"
#include "web/routes/file_forms.hpp"
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
    co_await show_composer(exchange, pages, taken->text);
}

}  // namespace notso::web
