#include "web/pages/context_view.hpp"
#include "web/routes/chat.hpp"
#include "web/routes/chat_forms.hpp"
#include "web/routes/client_user.hpp"
#include "web/routes/fragments.hpp"

namespace notso::web {
namespace {

using services::ContextLedger;
using services::ConversationView;

Awaitable<Result<ContextLedger>> ledger_of(const Pages& pages, services::ConversationKey key) {
    auto start = [&pages, &key](services::Completion<ContextLedger> done) {
        pages.context().chat.context(key, std::move(done));
    };
    co_return co_await wait_for<ContextLedger>(start);
}

Awaitable<> context_page(Exchange& exchange, const Pages& pages) {
    const services::ConversationKey key = conversation_of(exchange.request());
    const auto view = co_await open_conversation(pages, key);
    if (!view) {
        co_await pages.show_error(exchange, view.error());
        co_return;
    }
    const auto ledger = co_await ledger_of(pages, key);
    if (!ledger) {
        co_await pages.show_error(exchange, ledger.error());
        co_return;
    }
    PageFrame frame =
        co_await pages.frame(exchange.request(), text_for(exchange.request(), "Context"));
    frame.current = key.id.value;
    Pages::show_model(frame, view->conversation.model);
    boost::json::object variables = frame_view(frame);
    variables["plain"] = true;
    variables["ledger"] = ledger_view(frame.language, *ledger, key.id.value);
    Response response;
    response.body = co_await pages.render(exchange.request(), "context.html", std::move(variables));
    co_await exchange.respond(std::move(response));
}

/// Takes the place of the bar once an answer has ended.
Awaitable<> context_bar(Exchange& exchange, const Pages& pages) {
    const services::ConversationKey key = conversation_of(exchange.request());
    const auto view = co_await open_conversation(pages, key);
    if (!view) {
        co_await pages.show_error(exchange, view.error());
        co_return;
    }
    Response response;
    response.body =
        pages.renderer(exchange.request())
            .render(
                "partials/context.html",
                {{"context",
                  context_view(Language::of(exchange.request()), view->context, key.id.value)}});
    co_await exchange.respond(std::move(response));
}

/// Answers when the summary is written: the page that follows shows it.
Awaitable<> post_compact(Exchange& exchange, const Pages& pages) {
    const services::ConversationKey key = conversation_of(exchange.request());
    const Result<> ready = co_await check_ready(pages, key);
    if (!ready) {
        co_await pages.show_error(exchange, ready.error());
        co_return;
    }
    const services::CompactRequest request{key, client_user(exchange.request())};
    auto start = [&pages, &request](services::Completion<> done) {
        pages.context().chat.compact(request, std::move(done));
    };
    const Result<> compacted = co_await wait_for<void>(start);
    // The ledger says it where there is nothing to summarise.
    if (!compacted && compacted.error().code != ErrorCode::kInvalidArgument) {
        co_await pages.show_error(exchange, compacted.error());
        co_return;
    }
    Response response = see_other(fmt::format("/chat/{}/context", key.id.value));
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_chat_context_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back({Method::kGet, "/chat/{id}/context", [pages](Exchange& exchange) {
                          return context_page(exchange, *pages);
                      }});
    routes.push_back({Method::kGet, "/chat/{id}/context/bar", [pages](Exchange& exchange) {
                          return context_bar(exchange, *pages);
                      }});
    routes.push_back(action_route(pages, "/chat/{id}/compact", post_compact, BodyLimit::kSmall));
}

}  // namespace notso::web
