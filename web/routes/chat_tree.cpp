// Another answer, another question, the way between versions: what makes the messages of a
// conversation a tree.
#include "web/pages/message_window.hpp"
#include "web/routes/chat.hpp"
#include "web/routes/chat_forms.hpp"
#include "web/routes/client_user.hpp"
#include "web/routes/file_forms.hpp"
#include "web/routes/fragments.hpp"

namespace notso::web {
namespace {

using services::Completion;
using services::ConversationKey;
using services::MessageId;

/// The messages that are shown from now on: fragments for htmx, the page for a browser.
Awaitable<> show_conversation(Exchange& exchange, const Pages& pages, Result<> changed) {
    const ConversationKey key = conversation_of(exchange.request());
    Result<services::ConversationView> view = std::unexpected(changed ? Error{} : changed.error());
    if (changed) view = co_await open_conversation(pages, key);
    if (!view) {
        co_await pages.show_error(exchange, view.error());
        co_return;
    }
    const bool running = view->running && !view->running->ended();
    Response response = see_other(running ? follow_path(key) : "/chat/" + key.id.value);
    if (exchange.request().is_htmx()) {
        response = {};
        response.body = page_html(pages.renderer(exchange.request()), *view) +
                        controls_html(pages.renderer(exchange.request()), *view);
    }
    co_await exchange.respond(std::move(response));
}

/// The form of a request that asks the model, which is ready.
Awaitable<Result<Form>> form_for_answer(Exchange& exchange, const Pages& pages) {
    Result<Form> form = exchange.request().form();
    if (!form) co_return form;
    const Result<> ready = co_await check_ready(pages, conversation_of(exchange.request()));
    if (!ready) co_return std::unexpected(ready.error());
    co_return form;
}

template <class T>
Result<> outcome_of(const Result<T>& result) {
    if (!result) return std::unexpected(result.error());
    return {};
}

Awaitable<> post_regenerate(Exchange& exchange, const Pages& pages) {
    const Result<Form> form = co_await form_for_answer(exchange, pages);
    Result<> asked = outcome_of(form);
    auto start = [&](Completion<services::SentMessage> done) {
        pages.context().chat.regenerate({.conversation = conversation_of(exchange.request()),
                                         .question = {field(*form, "question")},
                                         .answer = {field(*form, "answer")},
                                         .client_id = field(*form, "client_id"),
                                         .user = client_user(exchange.request())},
                                        std::move(done));
    };
    if (asked) asked = outcome_of(co_await wait_for<services::SentMessage>(start));
    co_await show_conversation(exchange, pages, asked);
}

Awaitable<> post_continue(Exchange& exchange, const Pages& pages) {
    const Result<Form> form = co_await form_for_answer(exchange, pages);
    Result<> asked = outcome_of(form);
    auto start = [&](Completion<services::SentMessage> done) {
        pages.context().chat.continue_answer({.conversation = conversation_of(exchange.request()),
                                              .answer = {field(*form, "answer")},
                                              .user = client_user(exchange.request())},
                                             std::move(done));
    };
    if (asked) asked = outcome_of(co_await wait_for<services::SentMessage>(start));
    co_await show_conversation(exchange, pages, asked);
}

Awaitable<> post_edit(Exchange& exchange, const Pages& pages) {
    const Result<Form> form = co_await form_for_answer(exchange, pages);
    if (!form) {
        co_await show_conversation(exchange, pages, outcome_of(form));
        co_return;
    }
    const std::string text = with_unix_lines(field(*form, "text"));
    auto start = [&](Completion<services::SentMessage> done) {
        pages.context().chat.send({.conversation = conversation_of(exchange.request()),
                                   .text = text,
                                   .client_id = field(*form, "client_id"),
                                   .user = client_user(exchange.request()),
                                   .edits = MessageId{field(*form, "message")},
                                   .files = files_of(*form)},
                                  std::move(done));
    };
    const Result<> sent = outcome_of(co_await wait_for<services::SentMessage>(start));
    if (sent) {
        co_await show_conversation(exchange, pages, sent);
    } else {
        co_await pages.show_error(exchange, sent.error(), text);
    }
}

Awaitable<> post_revise(Exchange& exchange, const Pages& pages) {
    const Result<Form> form = exchange.request().form();
    Result<> revised = outcome_of(form);
    auto start = [&](Completion<services::Message> done) {
        pages.context().chat.revise({.conversation = conversation_of(exchange.request()),
                                     .answer = {field(*form, "message")},
                                     .text = with_unix_lines(field(*form, "text"))},
                                    std::move(done));
    };
    if (revised) revised = outcome_of(co_await wait_for<services::Message>(start));
    co_await show_conversation(exchange, pages, revised);
}

Awaitable<> post_version(Exchange& exchange, const Pages& pages) {
    const Result<Form> form = exchange.request().form();
    Result<> turned = outcome_of(form);
    auto start = [&](Completion<> done) {
        pages.context().chat.show_version(
            conversation_of(exchange.request()), {field(*form, "message")}, std::move(done));
    };
    if (turned) turned = co_await wait_for<void>(start);
    co_await show_conversation(exchange, pages, turned);
}

Awaitable<> post_delete_message(Exchange& exchange, const Pages& pages) {
    const Result<Form> form = exchange.request().form();
    Result<> removed = outcome_of(form);
    auto start = [&](Completion<> done) {
        pages.context().chat.remove_message(
            conversation_of(exchange.request()), {field(*form, "message")}, std::move(done));
    };
    if (removed) removed = co_await wait_for<void>(start);
    co_await show_conversation(exchange, pages, removed);
}

/// A browser is shown the new conversation.
Awaitable<> post_fork(Exchange& exchange, const Pages& pages) {
    const Result<Form> form = exchange.request().form();
    Result<services::Conversation> forked = std::unexpected(form ? Error{} : form.error());
    auto start = [&](Completion<services::Conversation> done) {
        pages.context().chat.fork(
            conversation_of(exchange.request()), {field(*form, "message")}, std::move(done));
    };
    if (form) forked = co_await wait_for<services::Conversation>(start);
    if (!forked) {
        co_await pages.show_error(exchange, forked.error());
        co_return;
    }
    Response response = see_other("/chat/" + forked->id.value);
    co_await exchange.respond(std::move(response));
}

/// What was written, and nothing of ours.
Response plain_text(std::string text) {
    Response response;
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::move(text);
    return response;
}

Awaitable<> get_message(Exchange& exchange, const Pages& pages) {
    const std::string message = exchange.request().params.at("message");
    auto view = co_await open_conversation(pages, conversation_of(exchange.request()));
    Result<> found = outcome_of(view);
    Response response;
    if (view && exchange.request().query.contains("source")) {
        const std::size_t at = index_of(view->messages, message);
        if (at == view->messages.size())
            found = fail(ErrorCode::kNotFound, "no such message: it was deleted");
        else
            response = plain_text(std::move(view->messages[at].text));
    } else if (view) {
        const bool edit = exchange.request().query.contains("edit");
        response.body =
            message_html(pages.renderer(exchange.request()), *std::move(view), {message, edit});
        if (response.body.empty())
            found = fail(ErrorCode::kNotFound, "no such message: it was deleted");
    }
    if (!found) {
        co_await pages.show_error(exchange, found.error());
        co_return;
    }
    co_await exchange.respond(std::move(response));
}

/// What stands before the first message of a long chat's page, to be put above it.
Awaitable<> get_earlier(Exchange& exchange, const Pages& pages) {
    auto view = co_await open_conversation(pages, conversation_of(exchange.request()));
    if (!view) {
        co_await pages.show_error(exchange, view.error());
        co_return;
    }
    const auto before = exchange.request().query.find("before");
    const bool named = before != exchange.request().query.end();
    Response response;
    if (named && index_of(view->messages, before->second) < view->messages.size()) {
        response.body =
            page_html(pages.renderer(exchange.request()), *std::move(view), before->second);
    } else {
        response.headers.push_back({"HX-Refresh", "true"});  // that message is gone: start over
    }
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_chat_tree_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back({Method::kGet, "/chat/{id}/message/{message}", [pages](Exchange& exchange) {
                          return get_message(exchange, *pages);
                      }});
    routes.push_back({Method::kGet, "/chat/{id}/earlier", [pages](Exchange& exchange) {
                          return get_earlier(exchange, *pages);
                      }});
    const auto add = [&](std::string_view name, Action action, BodyLimit body) {
        routes.push_back(action_route(pages, fmt::format("/chat/{{id}}/{}", name), action, body));
    };
    add("regenerate", post_regenerate, BodyLimit::kSmall);
    add("continue", post_continue, BodyLimit::kSmall);
    add("edit", post_edit, BodyLimit::kChat);
    add("revise", post_revise, BodyLimit::kChat);
    add("version", post_version, BodyLimit::kSmall);
    add("fork", post_fork, BodyLimit::kSmall);
    add("delete-message", post_delete_message, BodyLimit::kSmall);
}

}  // namespace notso::web
