#include "base/log.hpp"
#include "services/commands/slash_commands.hpp"
#include "web/pages/thinking_view.hpp"
#include "web/routes/chat.hpp"
#include "web/routes/chat_commands.hpp"
#include "web/routes/chat_forms.hpp"
#include "web/routes/chat_waiting.hpp"
#include "web/routes/client_user.hpp"
#include "web/routes/file_forms.hpp"
#include "web/routes/fragments.hpp"

namespace notso::web {
namespace {

using services::Conversation;
using services::ConversationKey;
using services::SentMessage;

Result<services::SendRequest> send_request(const Request& from,
                                           ConversationKey key,
                                           const Form& form) {
    services::SendRequest request{
        .conversation = std::move(key),
        .text = services::unescape_slash(with_unix_lines(field(form, "message"))),
        .client_id = field(form, "client_id"),
        .user = client_user(from),
        .files = files_of(form)};
    // The page shows the switch to models that think only.
    if (form.contains("thinking_shown")) request.thinking = form.contains("thinking");
    NOTSO_TRY(request.thinking_budget, parse_budget(field(form, "thinking_budget")));
    return request;
}

Awaitable<Result<SentMessage>> send(const Pages& pages, services::SendRequest request) {
    auto start = [&pages, &request](services::Completion<SentMessage> done) {
        pages.context().chat.send(std::move(request), std::move(done));
    };
    co_return co_await wait_for<SentMessage>(start);
}

Awaitable<Result<Conversation>> create(const Pages& pages,
                                       services::OwnerId owner,
                                       bool temporary) {
    auto start = [&pages, &owner, temporary](services::Completion<Conversation> done) {
        services::ChatService& chat = pages.context().chat;
        if (temporary) return chat.create_temporary(owner, std::move(done));
        chat.create_conversation(owner, std::move(done));
    };
    co_return co_await wait_for<Conversation>(start);
}

Awaitable<Result<>> erase(const Pages& pages, ConversationKey key) {
    auto start = [&pages, &key](services::Completion<> done) {
        pages.context().chat.erase(key, std::move(done));
    };
    co_return co_await wait_for<void>(start);
}

Awaitable<Result<>> set_model(const Pages& pages, ConversationKey key, std::string model) {
    auto start = [&pages, &key, &model](services::Completion<Conversation> done) {
        pages.context().chat.set_model(key, model, std::move(done));
    };
    const Result<Conversation> changed = co_await wait_for<Conversation>(start);
    if (!changed) co_return std::unexpected(changed.error());
    co_return Result<>{};
}

Awaitable<Result<Conversation>> set_thinking(const Pages& pages, ConversationKey key, bool on) {
    auto start = [&pages, &key, on](services::Completion<Conversation> done) {
        pages.context().chat.set_thinking(key, on, std::move(done));
    };
    co_return co_await wait_for<Conversation>(start);
}

Awaitable<Result<>> set_budget(const Pages& pages,
                               ConversationKey key,
                               std::optional<std::int64_t> tokens) {
    auto start = [&pages, &key, tokens](services::Completion<Conversation> done) {
        pages.context().chat.set_thinking_budget(key, tokens, std::move(done));
    };
    const Result<Conversation> changed = co_await wait_for<Conversation>(start);
    if (!changed) co_return std::unexpected(changed.error());
    co_return Result<>{};
}

/// Switch and budget of a form are the conversation's from now on.
Awaitable<Result<>> set_thinking_choice(const Pages& pages, ConversationKey key, const Form& form) {
    const auto budget = parse_budget(field(form, "thinking_budget"));
    if (!budget) co_return std::unexpected(budget.error());
    const auto changed = co_await set_thinking(pages, key, form.contains("thinking"));
    if (!changed) co_return std::unexpected(changed.error());
    if (!form.contains("thinking_budget")) co_return Result<>{};
    co_return co_await set_budget(pages, key, *budget);
}

/// A failure costs the setting, not the message. The page shows the switch to models that think
/// only.
Awaitable<> keep_thinking_choice(const Pages& pages, ConversationKey key, const Form& form) {
    if (!form.contains("thinking_shown")) co_return;
    const auto kept = co_await set_thinking_choice(pages, std::move(key), form);
    if (!kept) log::warn("the thinking switch could not be stored: {}", kept.error().detail);
}

/// The first message of a conversation, with what was chosen beside it.
Awaitable<Result<SentMessage>> send_first(const Pages& pages,
                                          const Request& from,
                                          ConversationKey key,
                                          const Form& form) {
    Result<services::SendRequest> request = send_request(from, key, form);
    if (!request) co_return std::unexpected(request.error());
    co_await keep_thinking_choice(pages, key, form);
    std::string model = field(form, "model");
    if (!model.empty()) {
        const Result<> chosen = co_await set_model(pages, key, std::move(model));
        if (!chosen) co_return std::unexpected(chosen.error());
    }
    co_return co_await send(pages, *std::move(request));
}

Awaitable<> post_first_message(Exchange& exchange, const Pages& pages) {
    const Result<FilledForm> form = co_await form_with_files(exchange, pages);
    if (!form) {
        co_await pages.show_error(exchange, form.error());
        co_return;
    }
    if (is_command(form->fields)) {
        co_await run_command(exchange, pages, form->fields);
        co_return;
    }
    const std::string text = field(form->fields, "message");
    Result<> ready = form->files;
    if (ready) ready = check_room(pages.context());
    if (ready && field(form->fields, "model").empty()) ready = check_ready(pages.context());
    if (!ready) {
        co_await pages.show_error(exchange, ready.error(), text);
        co_return;
    }
    const Result<Conversation> created =
        co_await create(pages, exchange.request().owner, form->fields.contains("temporary"));
    if (!created) {
        co_await pages.show_error(exchange, created.error(), text);
        co_return;
    }
    const Result<SentMessage> sent =
        co_await send_first(pages, exchange.request(), created->key(), form->fields);
    if (!sent) {
        co_await erase(pages, created->key());  // an empty conversation is of no use to anybody
        co_await pages.show_error(exchange, sent.error(), text);
        co_return;
    }
    Response response;
    if (exchange.request().is_htmx()) {
        response.headers.push_back({"HX-Redirect", "/chat/" + created->id.value});
    } else {
        response = see_other(follow_path(created->key()));
    }
    co_await exchange.respond(std::move(response));
}

/// Where the answer goes on: fragments for htmx, the page that writes it for a browser.
Response answer_begun(const Request& from, const Pages& pages, services::ConversationView view) {
    if (!from.is_htmx()) return see_other(follow_path(conversation_of(from)));
    Response response;
    response.body =
        messages_html(pages.renderer(from), view) + controls_html(pages.renderer(from), view);
    return response;
}

Awaitable<> post_message(Exchange& exchange, const Pages& pages) {
    const Result<FilledForm> form = co_await form_with_files(exchange, pages);
    if (!form) {
        co_await pages.show_error(exchange, form.error());
        co_return;
    }
    if (is_command(form->fields)) {
        co_await run_command(exchange, pages, form->fields);
        co_return;
    }
    const std::string text = field(form->fields, "message");
    const ConversationKey key = conversation_of(exchange.request());
    Result<> ready = form->files;
    if (ready) ready = co_await check_ready(pages, key);
    if (!ready) {
        co_await pages.show_error(exchange, ready.error(), text);
        co_return;
    }
    auto request = send_request(exchange.request(), key, form->fields);
    if (!request) {
        co_await pages.show_error(exchange, request.error(), text);
        co_return;
    }
    if (!exchange.request().is_htmx()) co_await keep_thinking_choice(pages, key, form->fields);
    request->may_wait = true;
    Result<SentMessage> sent = co_await send(pages, *request);
    if (!sent) {
        co_await pages.show_error(exchange, sent.error(), text);
        co_return;
    }
    if (sent->waits) {
        co_await show_waiting(exchange, pages);
        co_return;
    }
    Response response = answer_begun(
        exchange.request(),
        pages,
        {.conversation = {}, .messages = {sent->user, sent->answer}, .running = sent->feed});
    co_await exchange.respond(std::move(response));
}

/// Nobody waits for it, and the page does not look at the answer.
Awaitable<> post_draft(Exchange& exchange, const Pages& pages) {
    const Result<Form> form = exchange.request().form();
    if (!form) {
        co_await pages.show_error(exchange, form.error());
        co_return;
    }
    auto start = [&](services::Completion<> done) {
        pages.context().chat.read_draft({.conversation = conversation_of(exchange.request()),
                                         .text = with_unix_lines(field(*form, "message")),
                                         .thinking = form->contains("thinking"),
                                         .user = client_user(exchange.request()),
                                         .files = files_of(*form)},
                                        std::move(done));
    };
    const Result<> read = co_await wait_for<void>(start);
    if (!read) {
        co_await pages.show_error(exchange, read.error());
        co_return;
    }
    Response response{.status = 204};
    co_await exchange.respond(std::move(response));
}

std::optional<services::ToolDecision> decision_of(std::string_view name) {
    if (name == "allow") return services::ToolDecision::kAllowOnce;
    if (name == "always") return services::ToolDecision::kAllowAlways;
    if (name == "deny") return services::ToolDecision::kDeny;
    return std::nullopt;
}

/// After a change: nothing to swap for htmx (the stream tells the rest), the page again for a
/// browser.
Awaitable<> answer_change(Exchange& exchange,
                          const Pages& pages,
                          Result<> result,
                          std::string path) {
    if (!result) {
        co_await pages.show_error(exchange, result.error());
        co_return;
    }
    Response response = see_other(std::move(path));
    if (exchange.request().is_htmx()) response = Response{.status = 204};
    co_await exchange.respond(std::move(response));
}

Awaitable<> post_stop(Exchange& exchange, const Pages& pages) {
    const ConversationKey key = conversation_of(exchange.request());
    const auto view = co_await open_conversation(pages, key);  // a foreign id is no success
    Result<> stopped;
    if (!view) stopped = std::unexpected(view.error());
    auto start = [&pages, &key](services::Completion<> done) {
        pages.context().chat.stop(key, std::move(done));
    };
    if (view) stopped = co_await wait_for<void>(start);
    co_await answer_change(exchange, pages, stopped, "/chat/" + key.id.value);
}

Awaitable<> post_answer_now(Exchange& exchange, const Pages& pages) {
    const ConversationKey key = conversation_of(exchange.request());
    const auto view = co_await open_conversation(pages, key);  // a foreign id is no success
    Result<> asked;
    if (!view) asked = std::unexpected(view.error());
    auto start = [&pages, &key](services::Completion<> done) {
        pages.context().chat.answer_now(key, std::move(done));
    };
    if (view) asked = co_await wait_for<void>(start);
    co_await answer_change(exchange, pages, asked, follow_path(key));
}

Awaitable<> post_thinking(Exchange& exchange, const Pages& pages) {
    const ConversationKey key = conversation_of(exchange.request());
    const Result<Form> form = exchange.request().form();
    Result<> changed;
    if (!form) changed = std::unexpected(form.error());
    if (form) changed = co_await set_thinking_choice(pages, key, *form);
    co_await answer_change(exchange, pages, changed, "/chat/" + key.id.value);
}

Awaitable<> post_model(Exchange& exchange, const Pages& pages) {
    const ConversationKey key = conversation_of(exchange.request());
    const Result<Form> form = exchange.request().form();
    Result<> changed;
    if (!form) changed = std::unexpected(form.error());
    if (form) changed = co_await set_model(pages, key, field(*form, "model"));
    co_await answer_change(exchange, pages, changed, "/chat/" + key.id.value);
}

/// The last answer's question again, to the model that the form names.
Awaitable<Result<>> ask_again(Exchange& exchange, const Pages& pages, const Form& form) {
    const ConversationKey key = conversation_of(exchange.request());
    const auto view = co_await open_conversation(pages, key);
    if (!view) co_return std::unexpected(view.error());
    if (view->messages.empty() || view->messages.back().role != services::MessageRole::kAssistant)
        co_return fail(ErrorCode::kInvalidArgument, "there is no answer yet: send a message first");
    if (const Result<> room = check_room(pages.context()); !room) co_return room;
    if (const Result<> set = co_await set_model(pages, key, field(form, "model")); !set)
        co_return set;
    const services::Message& last = view->messages.back();
    auto start = [&](services::Completion<services::SentMessage> done) {
        pages.context().chat.regenerate({.conversation = key,
                                         .question = *last.parent,
                                         .answer = last.id,
                                         .user = client_user(exchange.request())},
                                        std::move(done));
    };
    const auto sent = co_await wait_for<services::SentMessage>(start);
    if (!sent) co_return std::unexpected(sent.error());
    co_return Result<>{};
}

Awaitable<> post_again(Exchange& exchange, const Pages& pages) {
    const Result<Form> form = exchange.request().form();
    Result<> asked;
    if (!form) asked = std::unexpected(form.error());
    if (form) asked = co_await ask_again(exchange, pages, *form);
    if (!asked) {
        co_await pages.show_error(exchange, asked.error());
        co_return;
    }
    const ConversationKey key = conversation_of(exchange.request());
    Response response = see_other(follow_path(key));
    if (exchange.request().is_htmx()) {  // another model: the whole page is another one
        response = {};
        response.headers.push_back({"HX-Redirect", "/chat/" + key.id.value});
    }
    co_await exchange.respond(std::move(response));
}

Awaitable<> post_tool(Exchange& exchange, const Pages& pages) {
    const ConversationKey key = conversation_of(exchange.request());
    const Result<Form> form = exchange.request().form();
    Result<> decided;
    std::optional<services::ToolDecision> decision;
    if (form) decision = decision_of(field(*form, "decision"));
    if (!form) decided = std::unexpected(form.error());
    if (form && !decision)
        decided = fail(ErrorCode::kInvalidArgument, "decision is not allow, always or deny");
    auto start = [&](services::Completion<> done) {
        pages.context().chat.decide_tool({key, field(*form, "use"), *decision}, std::move(done));
    };
    if (decided) decided = co_await wait_for<void>(start);
    co_await answer_change(exchange, pages, decided, follow_path(key));
}

Awaitable<> post_rename(Exchange& exchange, const Pages& pages) {
    const ConversationKey key = conversation_of(exchange.request());
    const Result<Form> form = exchange.request().form();
    Result<> renamed;
    if (!form) renamed = std::unexpected(form.error());
    auto start = [&pages, &key, &form](services::Completion<> done) {
        pages.context().chat.rename(key, field(*form, "title"), std::move(done));
    };
    if (form) renamed = co_await wait_for<void>(start);
    co_await answer_change(exchange, pages, renamed, "/chat/" + key.id.value);
}

}  // namespace

void add_chat_action_routes(std::vector<Route>& routes, const SharedPages& pages) {
    // The switch sends the whole composer along, a long draft included.
    routes.push_back(file_form_route(pages, "/chat", post_first_message));
    routes.push_back(file_form_route(pages, "/chat/{id}/messages", post_message));
    routes.push_back(action_route(pages, "/chat/{id}/withdraw", post_withdraw, BodyLimit::kSmall));
    routes.push_back(action_route(pages, "/chat/{id}/thinking", post_thinking, BodyLimit::kChat));
    routes.push_back(action_route(pages, "/chat/{id}/tool", post_tool, BodyLimit::kSmall));
    routes.push_back(action_route(pages, "/chat/{id}/draft", post_draft, BodyLimit::kChat));
    routes.push_back(action_route(pages, "/chat/{id}/stop", post_stop, BodyLimit::kSmall));
    routes.push_back(
        action_route(pages, "/chat/{id}/answer-now", post_answer_now, BodyLimit::kSmall));
    routes.push_back(action_route(pages, "/chat/{id}/model", post_model, BodyLimit::kSmall));
    routes.push_back(action_route(pages, "/chat/{id}/again", post_again, BodyLimit::kSmall));
    routes.push_back(action_route(pages, "/chat/{id}/rename", post_rename, BodyLimit::kSmall));
}

}  // namespace notso::web
