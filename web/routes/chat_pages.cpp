#include "web/pages/message_view.hpp"
#include "web/pages/message_window.hpp"
#include "web/pages/tool_view.hpp"
#include "web/routes/chat.hpp"
#include "web/routes/chat_commands.hpp"
#include "web/routes/chat_forms.hpp"
#include "web/routes/feed_reader.hpp"
#include "web/routes/file_forms.hpp"
#include "web/routes/fragments.hpp"

namespace notso::web {
namespace {

using services::ConversationView;
using services::TurnFeed;

// Browsers show a page that is still coming in only when something comes; a comment is enough to
// keep it open.
constexpr std::string_view kHtmlHeartbeat = "<!-- still here -->\n";

/// Of a link: it may fill the composer or open a form, nothing more.
std::string query_value(const Request& request, const std::string& name) {
    const auto text = request.query.find(name);
    return text == request.query.end() ? std::string() : text->second;
}

/// Of a link: what it names becomes part of a form's address.
bool is_id(std::string_view text) {
    constexpr std::size_t kDigits = 32;
    return text.size() == kDigits &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Awaitable<> new_chat(Exchange& exchange, const Pages& pages) {
    PageFrame frame =
        co_await pages.frame(exchange.request(), text_for(exchange.request(), "New chat"));
    co_await add_composer_files(frame, pages, conversation_of(exchange.request()));
    const std::string text = query_value(exchange.request(), "prefill");
    boost::json::object view = new_chat_view(frame, text);
    const std::string deleted = query_value(exchange.request(), "deleted");
    if (is_id(deleted)) view["deleted"] = deleted;
    view["temporary"] = query_value(exchange.request(), "temporary") == "1";
    Response response;
    response.body = co_await pages.render(exchange.request(), "chat.html", std::move(view));
    co_await exchange.respond(std::move(response));
}

/// Writes an answer into an open page, for browsers without script: each block once, when it is
/// finished.
class PlainPainter {
  public:
    PlainPainter(const PageRenderer& renderer, const TurnFeed& feed)
        : renderer_(renderer), feed_(feed) {}

    std::string begin() const {
        boost::json::object view = live_answer_view(renderer_.language(), feed_);
        view["conversation"] = feed_.conversation().id.value;
        return renderer_.render("partials/follow_head.html", {{"m", std::move(view)}});
    }

    /// What was finished since the last call; with the turn's end, the rest of the answer.
    std::string paint() {
        const services::FeedSnapshot& now = feed_.snapshot();
        std::string out;
        const bool thought = !now.thinking.empty() && (!now.thinking_open || now.ended);
        if (thought && !thinking_shown_) {
            thinking_shown_ = true;
            out += renderer_.render(
                "partials/thinking.html",
                {{"m", live_answer_view(renderer_.language(), feed_)}, {"keep_thinking", false}});
        }
        const std::string& text = now.ended ? now.ended->text : now.text;
        paint_tools(text, now.ended ? now.ended->tool_uses : now.tool_uses, out);
        const std::string_view rest =
            std::string_view(text).substr(std::min(done_bytes_, text.size()));
        paint_text(text, done_bytes_ + (now.ended ? rest.size() : finished_bytes(rest)), out);
        if (now.ended) {
            out += "<span class=\"follow-end\"></span>\n";
            out += renderer_.render(
                "partials/answer_foot.html",
                {{"m", answer_view(renderer_.language(), *now.ended, now.can_continue)}});
        }
        return out;
    }

  private:
    void paint_text(std::string_view text, std::size_t until, std::string& out) {
        if (until <= done_bytes_) return;
        const std::string_view blocks = text.substr(done_bytes_, until - done_bytes_);
        out += "<div class=\"prose\" hx-ignore><div>" + prose_html(renderer_.language(), blocks) +
               "</div></div>\n";
        done_bytes_ = until;
    }

    /// Each call once it has ended; one that asks, with its form, until it is answered.
    void paint_tools(std::string_view text,
                     const std::vector<services::ToolUse>& uses,
                     std::string& out) {
        for (; tools_shown_ < uses.size(); ++tools_shown_) {
            const services::ToolUse& use = uses[tools_shown_];
            const bool asks = use.state == services::ToolUseState::kAsking;
            if (use.state == services::ToolUseState::kRunning || (asks && asked_ == use.id)) return;
            paint_text(text, use.begin_in(text), out);
            const boost::json::object message = {{"conversation", feed_.conversation().id.value}};
            out += renderer_.render(
                "partials/tool_use.html",
                {{"m", message},
                 {"t", tool_view(renderer_.language(), use, feed_.answer().value)}});
            if (!asks) continue;
            asked_ = use.id;
            return;
        }
    }

    const PageRenderer& renderer_;
    const TurnFeed& feed_;
    std::size_t tools_shown_ = 0;
    std::string asked_;
    std::size_t done_bytes_ = 0;
    bool thinking_shown_ = false;
};

/// False when the reader went away.
Awaitable<bool> write_answer(Exchange& exchange,
                             const Pages& pages,
                             std::shared_ptr<TurnFeed> feed) {
    const auto reader = co_await FeedReader::open(exchange, feed);
    PlainPainter painter(pages.renderer(exchange.request()), *feed);
    std::string piece = painter.begin();
    while (!reader->gone()) {
        const std::uint64_t seq = feed->snapshot().seq;
        piece += painter.paint();
        const bool ended = feed->ended();
        if (!piece.empty()) {
            const auto written = co_await exchange.write(piece);
            if (!written) co_return false;
        }
        if (ended) co_return true;
        const bool news = co_await reader->wait_for_news(seq);
        if (news) co_await reader->pace(false);
        piece = news ? std::string() : std::string(kHtmlHeartbeat);
    }
    co_return false;
}

/// Which messages of a long conversation were asked for.
MessageWindow window_of(const Request& request, const ConversationView& view) {
    const std::size_t before = index_of(view.messages, query_value(request, "before"));
    if (before > 0 && before < view.messages.size()) return window_before(view.messages, before);
    const std::string edited = query_value(request, "edit");
    return window_at(view.messages, edited.empty() ? query_value(request, "at") : edited);
}

/// The page up to the running answer, the answer as it comes, the rest of the page.
Awaitable<> follow_page(Exchange& exchange,
                        const Pages& pages,
                        ConversationView view,
                        PageFrame frame) {
    const std::string words = told_of_command(query_value(exchange.request(), "did"), frame, view);
    const MessageWindow window = window_before(view.messages, view.messages.size());
    narrow(view, window);
    const ChatShown shown{.follow = true, .has_earlier = window.begin > 0};
    boost::json::object variables = chat_view(frame, view, shown);
    variables["told"] = words;
    const std::string page =
        co_await pages.render(exchange.request(), "chat.html", std::move(variables));
    const std::size_t mark = page.find(kFollowMark);
    Response head;
    head.headers = {{"X-Accel-Buffering", "no"}};
    const auto started = co_await exchange.start_stream(std::move(head));
    if (!started) co_return;
    const auto written = co_await exchange.write(std::string_view(page).substr(0, mark));
    if (!written) co_return;
    const bool whole = co_await write_answer(exchange, pages, view.running);
    if (!whole) co_return;
    if (!view.running->snapshot().waiting.empty()) {
        const std::string next = fmt::format(
            "<p class=\"note\"><a href=\"{}\">Watch the next answer being written</a></p>\n",
            follow_path(view.conversation.key()));
        const auto told = co_await exchange.write(next);
        if (!told) co_return;
    }
    const auto rest =
        co_await exchange.write(std::string_view(page).substr(mark + kFollowMark.size()));
    if (rest) co_await exchange.finish();
}

Awaitable<> chat_page(Exchange& exchange, const Pages& pages) {
    const services::ConversationKey key = conversation_of(exchange.request());
    Result<ConversationView> view = co_await open_conversation(pages, key);
    if (!view) {
        co_await pages.show_error(exchange, view.error());
        co_return;
    }
    PageFrame frame = co_await pages.frame(
        exchange.request(), title_of(Language::of(exchange.request()), view->conversation));
    frame.current = view->conversation.id.value;
    Pages::show_model(frame, view->conversation.model);
    co_await add_composer_files(frame, pages, key);
    const bool running = view->running && !view->running->ended();
    if (running && exchange.request().query.contains("follow")) {
        co_await follow_page(exchange, pages, *std::move(view), std::move(frame));
        co_return;
    }
    const std::string draft = query_value(exchange.request(), "prefill");
    const std::string edited = query_value(exchange.request(), "edit");
    const std::string words = told_of_command(query_value(exchange.request(), "did"), frame, *view);
    const MessageWindow window = window_of(exchange.request(), *view);
    const bool newest = window.end == view->messages.size();
    const std::string later = newest ? "" : view->messages[window.end].id.value;
    narrow(*view, window);
    const ChatShown shown{
        .draft = draft, .edited = edited, .has_earlier = window.begin > 0, .later = later};
    boost::json::object variables = chat_view(frame, *view, shown);
    variables["told"] = words;
    Response response;
    response.body = co_await pages.render(exchange.request(), "chat.html", std::move(variables));
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_chat_page_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back(
        {Method::kGet, "/", [pages](Exchange& exchange) { return new_chat(exchange, *pages); }});
    routes.push_back({Method::kGet, "/chat/{id}", [pages](Exchange& exchange) {
                          return chat_page(exchange, *pages);
                      }});
}

}  // namespace notso::web
