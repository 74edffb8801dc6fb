#include "web/routes/fragments.hpp"

#include "web/pages/answer_painter.hpp"
#include "web/pages/conversation_view.hpp"
#include "web/pages/message_view.hpp"
#include "web/pages/message_window.hpp"

namespace notso::web {

using services::ConversationView;

Awaitable<Result<ConversationView>> open_conversation(const Pages& pages,
                                                      services::ConversationKey key) {
    auto open = [&pages, &key](services::Completion<ConversationView> done) {
        pages.context().chat.open(key, std::move(done));
    };
    co_return co_await wait_for<ConversationView>(open);
}

std::string messages_html(const PageRenderer& renderer, const ConversationView& view) {
    std::string html;
    for (boost::json::value& message : message_views(renderer.language(), view)) {
        html += renderer.render("partials/message.html",
                                {{"m", std::move(message)}, {"keep_thinking", false}});
    }
    return html;
}

std::string page_html(const PageRenderer& renderer,
                      ConversationView view,
                      std::string_view before) {
    const MessageWindow window = window_before(view.messages, index_of(view.messages, before));
    narrow(view, window);
    std::string html;
    if (window.begin > 0)
        html = renderer.render("partials/earlier.html", {{"earlier", earlier_view(view)}});
    return html + messages_html(renderer, view);
}

std::string message_html(const PageRenderer& renderer,
                         ConversationView view,
                         const MessagePiece& piece) {
    const std::size_t at = index_of(view.messages, piece.id);
    narrow(view, {at, at + 1});
    for (boost::json::value& value :
         message_views(renderer.language(), view, piece.as_form ? piece.id : "")) {
        boost::json::object& message = value.as_object();
        if (std::string_view(message["id"].as_string()) != piece.id) continue;
        // An answer's versions stand before it and stay.
        if (message["role"] == "assistant") message["versions"] = {{"count", 1}};
        return renderer.render("partials/message.html",
                               {{"m", std::move(message)}, {"keep_thinking", false}});
    }
    return {};
}

std::string after_html(const PageRenderer& renderer, const ConversationView& view) {
    const boost::json::object variables = {
        {"after", after_view(view.conversation.id.value, view.follow_ups, view.more_follows)}};
    return partial("after", "innerHTML", renderer.render("partials/after.html", variables));
}

std::string waiting_html(const PageRenderer& renderer, const ConversationView& view) {
    const boost::json::object variables = {
        {"waiting", waiting_view(renderer.language(), view.conversation.id.value, view.waiting)}};
    return partial("waiting", "outerHTML", renderer.render("partials/waiting.html", variables));
}

std::string controls_html(const PageRenderer& renderer, const ConversationView& view) {
    boost::json::object variables = {{"running", nullptr}};
    if (view.running && !view.running->ended())
        variables["running"] = running_view(renderer.language(), *view.running);
    return partial("pill", "outerHTML", renderer.render("partials/pill.html", variables)) +
           partial("action", "outerHTML", renderer.render("partials/action.html", variables)) +
           partial("stream", "outerHTML", renderer.render("partials/stream.html", variables)) +
           waiting_html(renderer, view) + after_html(renderer, view);
}

}  // namespace notso::web
