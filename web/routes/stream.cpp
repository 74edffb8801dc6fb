#include "web/routes/stream.hpp"

#include <algorithm>

#include "web/pages/answer_painter.hpp"
#include "web/pages/message_view.hpp"
#include "web/pages/sse.hpp"
#include "web/routes/feed_reader.hpp"
#include "web/routes/fragments.hpp"

namespace notso::web {
namespace {

using services::ConversationView;
using services::Message;
using services::TurnFeed;

// hx-sse ends the stream when it sees this name (partials/stream.html).
constexpr std::string_view kEndEvent = "turn-end";

Response stream_head() {
    Response head;
    head.content_type = "text/event-stream; charset=utf-8";
    head.headers = {{"Cache-Control", "no-cache, no-transform"}, {"X-Accel-Buffering", "no"}};
    return head;
}

/// Where the reader says it is. Last-Event-ID is newer than the URL, which stays the same over
/// reconnects.
std::optional<EventId> position_of(const Request& request) {
    if (auto id = parse_event_id(request.header("last-event-id"))) return id;
    const auto from = request.query.find("from");
    return from == request.query.end() ? std::nullopt : parse_event_id(from->second);
}

/// The feed that a reader wants: that of the answer it names, else the one that is running.
std::shared_ptr<TurnFeed> feed_for(const Pages& pages,
                                   const services::ConversationKey& conversation,
                                   const std::optional<EventId>& position) {
    services::ChatService& chat = pages.context().chat;
    const auto feed = position ? chat.feed(conversation, position->answer) : nullptr;
    return feed ? feed : chat.running(conversation);
}

std::string final_events(const EventId& id,
                         const std::string& announcement,
                         std::string_view fragments) {
    return sse_event(id, "", fragments) + sse_event(id, kEndEvent, announcement);
}

Awaitable<> follow_feed(Exchange& exchange,
                        const Pages& pages,
                        std::shared_ptr<TurnFeed> feed,
                        std::optional<EventId> position) {
    const auto started = co_await exchange.start_stream(stream_head());
    if (!started) co_return;
    const auto reader = co_await FeedReader::open(exchange, feed);
    const PageRenderer& renderer = pages.renderer(exchange.request());
    const Language& language = renderer.language();
    AnswerPainter painter(renderer, *feed);
    const bool known =
        position && position->answer == feed->answer() && painter.resume_at(position->seq);
    bool news = !known || feed->ended() || feed->snapshot().seq > painter.seq();
    while (!reader->gone()) {
        if (news) {
            co_await reader->pace(!painter.has_text() && !feed->snapshot().text.empty());
            const std::string fragments = painter.paint();
            const EventId id{feed->answer(), painter.seq()};
            const bool ended = feed->ended();
            const std::string bytes =
                ended ? final_events(
                            id, end_announcement(language, *feed->snapshot().ended), fragments)
                      : sse_event(id, "", fragments);
            const auto written = co_await exchange.write(bytes);
            if (!written || ended) break;
        } else {
            const auto written = co_await exchange.write(kSseHeartbeat);
            if (!written) break;
        }
        news = co_await reader->wait_for_news(painter.seq());
    }
    co_await exchange.finish();
}

struct StoredAnswer {
    Message answer;
    bool can_continue;
};

/// The answer is no longer in memory (the server was restarted, or it ended a while ago): its
/// stored form, then the end, so that the reader does not come back for ever.
Awaitable<> replay_stored(Exchange& exchange,
                          const Pages& pages,
                          StoredAnswer stored,
                          EventId position) {
    const auto started = co_await exchange.start_stream(stream_head());
    if (!started) co_return;
    const PageRenderer& renderer = pages.renderer(exchange.request());
    const std::string bytes =
        final_events(position,
                     end_announcement(renderer.language(), stored.answer),
                     paint_stored_answer(renderer, stored.answer, stored.can_continue));
    const auto written = co_await exchange.write(bytes);
    if (written) co_await exchange.finish();
}

/// A reader that reconnects to a deleted conversation: told to stop; a 404 would make it come back.
Awaitable<> end_stream(Exchange& exchange, EventId position) {
    const auto started = co_await exchange.start_stream(stream_head());
    if (!started) co_return;
    const std::string bytes = sse_event(
        position, kEndEvent, text_for(exchange.request(), "This conversation was deleted"));
    const auto written = co_await exchange.write(bytes);
    if (written) co_await exchange.finish();
}

Awaitable<> stream(Exchange& exchange, const Pages& pages) {
    const services::ConversationKey key = conversation_of(exchange.request());
    const std::optional<EventId> position = position_of(exchange.request());
    const bool reconnects = !exchange.request().header("last-event-id").empty();
    if (auto feed = feed_for(pages, key, position)) {
        co_await follow_feed(exchange, pages, std::move(feed), position);
        co_return;
    }
    const Result<ConversationView> view = co_await open_conversation(pages, key);
    if (!view && reconnects && position) {
        co_await end_stream(exchange, *position);
        co_return;
    }
    if (!view) {
        co_await pages.show_error(exchange, view.error());
        co_return;
    }
    const auto& messages = view->messages;
    const auto wanted = std::ranges::find_if(messages, [&](const Message& message) {
        return message.role == services::MessageRole::kAssistant &&
               (!position || message.id == position->answer);
    });
    if (view->running) {
        co_await follow_feed(exchange, pages, view->running, position);
    } else if (wanted == messages.end()) {
        const Error error{ErrorCode::kNotFound, "nothing is being written in this conversation"};
        co_await pages.show_error(exchange, error);
    } else {
        const Message& answer = position ? *wanted : messages.back();
        const EventId beginning{answer.id, 0};
        const EventId at = position.value_or(beginning);
        const bool can_continue = view->can_continue && answer.id == messages.back().id;
        const StoredAnswer stored{answer, can_continue};
        co_await replay_stored(exchange, pages, stored, at);
    }
}

Awaitable<> state(Exchange& exchange, const Pages& pages) {
    const services::ConversationKey key = conversation_of(exchange.request());
    Result<ConversationView> view = co_await open_conversation(pages, key);
    if (!view) {
        co_await pages.show_error(exchange, view.error());
        co_return;
    }
    const auto since = exchange.request().query.find("since");
    const std::string seen =
        since == exchange.request().query.end() ? std::string() : since->second;
    const auto at = std::ranges::find(view->messages, services::MessageId{seen}, &Message::id);
    Response response;
    const bool goes_on = view->running && view->running->answer().value == seen;
    if (goes_on) {  // somebody continued the answer that the tab shows
        view->versions.erase(view->versions.begin(), view->versions.end() - 1);
        view->messages.erase(view->messages.begin(), view->messages.end() - 1);
    } else if (at == view->messages.end() && !seen.empty()) {
        response.headers.push_back(
            {"HX-Refresh", "true"});  // what the tab shows is gone: it must start over
    } else if (at != view->messages.end()) {
        view->versions.erase(view->versions.begin(),
                             view->versions.begin() + (at + 1 - view->messages.begin()));
        view->messages.erase(view->messages.begin(), at + 1);
    }
    if (view->messages.empty()) {
        response.status = 204;
    } else {
        response.body =
            partial(
                "messages", "beforeend", messages_html(pages.renderer(exchange.request()), *view)) +
            controls_html(pages.renderer(exchange.request()), *view);
    }
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_stream_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back({Method::kGet, "/chat/{id}/stream", [pages](Exchange& exchange) {
                          return stream(exchange, *pages);
                      }});
    routes.push_back({Method::kGet, "/chat/{id}/state", [pages](Exchange& exchange) {
                          return state(exchange, *pages);
                      }});
}

}  // namespace notso::web
