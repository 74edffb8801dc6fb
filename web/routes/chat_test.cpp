// The chat page over real sockets and the scripted backend: forms, fragments, streams, replay,
// errors.
#include <random>

#include "services/template/markdown.hpp"
#include "web/assets/assets.hpp"
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

const std::string kNoId(32, '0');

struct SseEvent {
    std::string id;
    std::string name;
    std::string data;
};

/// Events of a stream, read as the standard says.
std::vector<SseEvent> parse_events(std::string_view body) {
    std::vector<SseEvent> events;
    SseEvent event;
    while (!body.empty()) {
        const std::size_t end = std::min(body.find('\n'), body.size());
        const std::string_view line = body.substr(0, end);
        body.remove_prefix(std::min(end + 1, body.size()));
        if (line.empty()) {
            if (!event.data.empty()) event.data.pop_back();
            if (!event.id.empty()) events.push_back(std::exchange(event, {}));
        } else if (line.starts_with("id: ")) {
            event.id = line.substr(4);
        } else if (line.starts_with("event: ")) {
            event.name = line.substr(7);
        } else if (line.starts_with("data: ")) {
            event.data += std::string(line.substr(6)) + "\n";
        }
    }
    return events;
}

std::string between(std::string_view text, std::string_view before, std::string_view after) {
    const std::size_t begin = text.find(before);
    if (begin == std::string_view::npos) return {};
    const std::string_view rest = text.substr(begin + before.size());
    return std::string(rest.substr(0, rest.find(after)));
}

class ChatRoutes : public AppFixture {
  protected:
    RawResponse htmx(std::string_view path, std::string_view fields) {
        return post_form(path, fields, "HX-Request: true\r\n");
    }
    RawResponse get_with(std::string_view path, std::string_view headers) {
        return RawClient(server_->port()).ask(get_request(path, headers));
    }
    /// Makes a conversation with one message; its path.
    std::string new_chat(std::string_view message) {
        const auto response = post_form("/chat", fmt::format("message={}", message));
        EXPECT_EQ(response.status, 303) << response.body;
        return between(response.header("location"), "", "?");
    }
    /// The page once nothing is written any more.
    std::string finished_page(const std::string& chat) {
        EXPECT_TRUE(wait_idle());
        for (int i = 0; i < 500; ++i) {
            const std::string page = get(chat).body;
            if (page.find("stop-button") == std::string::npos) return page;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        ADD_FAILURE() << "the answer does not end";
        return {};
    }
};

TEST_F(ChatRoutes, ThePageAndItsFiles) {
    const auto page = get("/");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.header("cache-control"), "no-store");
    EXPECT_TRUE(page.body.contains("Scripted test backend"));
    for (const char* name : {"app.css", "app.js", "icon.svg", "icon-192.png"})
        EXPECT_TRUE(page.body.contains(asset_url(name))) << name;
    for (const Asset& asset : assets()) {
        const auto plain = get(asset.url);
        EXPECT_EQ(plain.body, asset.bytes);
        EXPECT_EQ(plain.header("cache-control"), "public, max-age=31536000, immutable");
        EXPECT_EQ(plain.header("content-encoding"), "");
        const auto packed = get_with(asset.url, "Accept-Encoding: br, gzip\r\n");
        EXPECT_EQ(packed.body, asset.gzip_bytes);
        EXPECT_EQ(packed.header("content-encoding"), "gzip");
    }
    EXPECT_EQ(get("/assets/app.css").status, 404);
}

TEST_F(ChatRoutes, FormsWorkWithoutScript) {
    const std::string chat = new_chat("%5Becho%5D+%3Cb%3E+%26+one%0D%0Atwo");
    ASSERT_TRUE(chat.starts_with("/chat/"));
    const std::string page = finished_page(chat);
    EXPECT_TRUE(page.contains("<div class=\"said\" dir=\"auto\">[echo] &lt;b&gt; &amp; one\ntwo</div>"));
    EXPECT_TRUE(page.contains("<p dir=\"auto\">[echo] &lt;b&gt; &amp; one\ntwo</p>"));
    EXPECT_TRUE(page.contains("<title>[echo] &lt;b&gt; &amp; one · NotSo-SmolLM3</title>"));
    EXPECT_EQ(post_form(chat + "/messages", "message=again").header("location"),
              chat + "?follow=1");
    EXPECT_EQ(post_form(chat + "/stop", "").header("location"), chat);
    EXPECT_EQ(post_form(chat + "/thinking", "thinking=1").header("location"), chat);
    EXPECT_TRUE(get(chat).body.contains("name=\"thinking\" id=\"thinking\" value=\"1\" checked"));
    EXPECT_EQ(post_form(chat + "/rename", "title=%22new%22").header("location"), chat);
    EXPECT_TRUE(get("/").body.contains("&#34;new&#34;</a>") ||
                get("/").body.contains("&quot;new&quot;</a>"));
    EXPECT_EQ(post_form(chat + "/delete", "").header("location"), "/?deleted=" + chat.substr(6));
    EXPECT_EQ(get(chat).status, 404);
}

TEST_F(ChatRoutes, AThinkingBudgetIsTheChats) {
    const auto chosen = [this](const std::string& path) {
        const std::string page = get(path).body;
        const std::size_t at = page.find(" selected>", page.find("id=\"budget\""));
        return page.substr(at + 10, page.find('<', at) - at - 10);
    };
    EXPECT_EQ(chosen("/"), "Usual: no limit");
    const auto first =
        post_form("/chat", "message=hi&thinking_shown=1&thinking=1&thinking_budget=1024");
    const std::string chat(first.header("location").substr(0, first.header("location").find('?')));
    EXPECT_NE(finished_page(chat).find("Thought for"), std::string::npos);
    EXPECT_EQ(chosen(chat), "1,024 tokens");
    EXPECT_EQ(post_form(chat + "/thinking", "thinking=1&thinking_budget=2").status, 303);
    EXPECT_EQ(chosen(chat), "2 tokens") << "others than those that are offered, too";
    post_form(chat + "/messages", "message=again");
    finished_page(chat);
    const auto id = chat.substr(6);
    EXPECT_EQ(store_.messages({services::local_owner(), {id}})->back().stats.reasoning_tokens, 2);
    for (const std::string_view bad : {"-1", "131073", "1e3", "5 ", "0x10", "99999999999999999999"})
        for (const std::string_view path : {"/thinking", "/messages"})
            EXPECT_EQ(post_form(chat + std::string(path),
                                fmt::format("message=x&thinking=1&thinking_budget={}", bad))
                          .status,
                      400)
                << path << bad;
    EXPECT_EQ(chosen(chat), "2 tokens");
    EXPECT_EQ(store_.messages({services::local_owner(), {id}})->size(), 4U)
        << "the bad ones were not sent";
    post_form(chat + "/thinking", "thinking=1&thinking_budget=0");
    EXPECT_EQ(chosen(chat), "No limit");
    post_form(chat + "/thinking", "thinking=1&thinking_budget=");
    EXPECT_EQ(chosen(chat), "Usual: no limit");
    EXPECT_EQ(boost::json::parse(get(chat + "/export").body).at("thinking_budget"), nullptr);
}

TEST_F(ChatRoutes, AFollowedPageIsTheFinishedPage) {
    const std::string chat = new_chat("%5Bmarkdown%5D+%5Bthink%5D");
    const auto followed = get(chat + "?follow=1");
    EXPECT_TRUE(followed.complete);
    EXPECT_TRUE(followed.body.contains("This is scripted thinking."));
    EXPECT_TRUE(followed.body.contains("Zürich"));
    EXPECT_TRUE(followed.body.contains("id=\"send-button\""));
    EXPECT_TRUE(followed.body.ends_with("</html>\n") || followed.body.ends_with("</html>"));
    EXPECT_FALSE(followed.body.contains("answer-follows"));
}

TEST_F(ChatRoutes, HtmxGetsFragmentsAndAnAddress) {
    const auto first = htmx("/chat", "message=hello");
    EXPECT_EQ(first.status, 200);
    const std::string chat = first.header("hx-redirect");
    ASSERT_TRUE(chat.starts_with("/chat/"));
    finished_page(chat);
    const auto second = htmx(chat + "/messages", "message=%5Bslow%5D&client_id=abc");
    EXPECT_EQ(second.status, 200);
    EXPECT_TRUE(second.body.starts_with("<div class=\"turn\""));
    EXPECT_TRUE(second.body.contains("hx-sse:connect=\"" + chat + "/stream?from="));
    EXPECT_TRUE(second.body.contains("id=\"stop-button\""));
    EXPECT_FALSE(second.body.contains("<html"));
    const auto early = htmx(chat + "/messages", "message=too+early");
    EXPECT_EQ(early.status, 200);
    EXPECT_TRUE(early.body.starts_with("<hx-partial hx-target=\"#waiting\"")) << "it waits";
    const auto busy = htmx(chat + "/version", "message=" + std::string(32, '0'));
    EXPECT_EQ(busy.status, 409);
    EXPECT_TRUE(busy.body.starts_with("<hx-partial hx-target=\"#alert\""));
    const auto repeated = htmx(chat + "/messages", "message=%5Bslow%5D&client_id=abc");
    EXPECT_EQ(between(repeated.body, "id=\"m-", "\""), between(second.body, "id=\"m-", "\""))
        << "sent twice, stored once";
    EXPECT_EQ(htmx(chat + "/stop", "").status, 204);
}

TEST_F(ChatRoutes, AnswerNowEndsTheThoughts) {
    const std::string chat = new_chat("%5Bthink%5D+%5Bslow%5D+%5Becho%5D");
    std::string page;
    for (int i = 0; i < 500 && !page.contains(chat + "/answer-now"); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        page = get(chat).body;
    }
    ASSERT_TRUE(page.contains("action=\"" + chat + "/answer-now\""));
    EXPECT_EQ(post_form(chat + "/answer-now", "").header("location"), chat + "?follow=1");
    page = finished_page(chat);
    EXPECT_TRUE(page.contains("you asked for the answer"));
    EXPECT_TRUE(page.contains("<p dir=\"auto\">[think] [slow] [echo]</p>"))
        << "the answer is whole";
    EXPECT_FALSE(page.contains("/answer-now"));
    EXPECT_EQ(htmx(chat + "/answer-now", "").status, 204) << "too late is no error";
}

TEST_F(ChatRoutes, ThoughtsInCirclesHaveANote) {
    EXPECT_TRUE(finished_page(new_chat("%5Bloop%5D")).contains("it went round in circles"));
}

TEST_F(ChatRoutes, TheStreamTellsTheWholeAnswerAndEnds) {
    const std::string chat = new_chat("%5Blong+50%5D+%5Bslow%5D");
    const auto stream = get(chat + "/stream");
    EXPECT_EQ(stream.header("content-type"), "text/event-stream; charset=utf-8");
    EXPECT_EQ(stream.header("cache-control"), "no-cache, no-transform");
    EXPECT_EQ(stream.header("x-accel-buffering"), "no");
    const auto events = parse_events(stream.body);
    ASSERT_GE(events.size(), 5U);
    EXPECT_EQ(events.back().name, "turn-end");
    EXPECT_EQ(events.back().data, "Answer ready, 50 words");
    for (std::size_t i = 0; i + 1 < events.size(); ++i) EXPECT_EQ(events[i].name, "");
    EXPECT_TRUE(events[events.size() - 2].data.contains("word49 word50</p>"));
    const std::string again = get(chat + "/stream?from=" + events.front().id).body;
    EXPECT_TRUE(parse_events(again).back().name == "turn-end")
        << "a late reader gets the end at once";
}

// Wherever a reader leaves and returns, what it got plus the rest is the answer.
TEST_F(ChatRoutes, CutStreamsAreContinuedExactly) {
    std::mt19937 random(3);
    const std::string chat = new_chat("%5Blong+60%5D+%5Bslow%5D");
    std::string last_id;
    std::string tail;
    int reads = 0;
    for (bool ended = false; !ended && reads < 200; ++reads) {
        RawClient client(server_->port());
        client.send(get_request(chat + "/stream",
                                last_id.empty() ? "" : "Last-Event-ID: " + last_id + "\r\n"));
        const auto raw = client.read_some(1500 + random() % 3000, 1000);
        // Whole events only; the rest of the last one is lost with the connection.
        for (const SseEvent& event : parse_events(raw.substr(0, raw.rfind("\n\n") + 2))) {
            if (!event.data.contains("hx-partial") && event.name.empty()) continue;
            const std::string text = between(event.data, "hx-target=\"#tail-", "</hx-partial>");
            if (!text.empty() && text.contains("<p dir=\"auto\">")) {
                const std::string shown = between(text, "<p dir=\"auto\">", "</p>");
                EXPECT_TRUE(shown.starts_with(tail)) << shown << " after " << tail;
                tail = shown;
            }
            last_id = event.id;
            ended = event.name == "turn-end";
        }
    }
    EXPECT_GT(reads, 3);
    EXPECT_TRUE(finished_page(chat).contains("word59 word60</p>"));
}

TEST_F(ChatRoutes, StreamsForWhatIsGone) {
    const std::string chat = new_chat("hello");
    const std::string page = finished_page(chat);
    const std::string answer = between(page.substr(page.find("<article")), "id=\"m-", "\"");
    // A position that no feed knows: the snapshot, then the end.
    for (const std::string& from : {answer + "-99999", kNoId + "-1", std::string("nonsense")}) {
        const auto events = parse_events(get(chat + "/stream?from=" + from).body);
        if (events.empty()) continue;
        EXPECT_TRUE(events.front().data.contains("You wrote: hello")) << from;
        EXPECT_EQ(events.back().name, "turn-end") << from;
    }
    EXPECT_EQ(get("/chat/" + kNoId + "/stream").status, 404);
    const auto reconnect =
        get_with("/chat/" + kNoId + "/stream", "Last-Event-ID: " + answer + "-3\r\n");
    EXPECT_EQ(reconnect.status, 200) << "a 404 would make the page come back for ever";
    EXPECT_EQ(parse_events(reconnect.body).back().name, "turn-end");
}

TEST_F(ChatRoutes, OtherTabsAskForNews) {
    const std::string chat = new_chat("hello");
    const std::string page = finished_page(chat);
    const std::size_t article = page.find("<article");
    const std::string user = between(page, "data-message=\"", "\"");
    const std::string answer = between(page.substr(article), "data-message=\"", "\"");
    EXPECT_EQ(get(chat + "/state?since=" + answer).status, 204);
    const auto news = get(chat + "/state?since=" + user);
    EXPECT_EQ(news.status, 200);
    EXPECT_TRUE(news.body.contains("data-message=\"" + answer + "\""));
    EXPECT_FALSE(news.body.contains("data-message=\"" + user + "\""));
    EXPECT_EQ(get(chat + "/state?since=" + kNoId).header("hx-refresh"), "true");
    EXPECT_EQ(get("/chat/" + kNoId + "/state?since=").status, 404);
}

TEST_F(ChatRoutes, NothingAnswersForAForeignId) {
    for (const char* path : {"/messages",
                             "/stop",
                             "/answer-now",
                             "/thinking",
                             "/rename",
                             "/pin",
                             "/delete",
                             "/restore"}) {
        const auto response = post_form("/chat/" + kNoId + path, "message=x&title=x&thinking=1");
        EXPECT_EQ(response.status, 404) << path;
        EXPECT_TRUE(response.body.contains("does not exist")) << path;
    }
    for (const char* path : {"", "/stream", "/state"}) {
        EXPECT_EQ(get("/chat/" + kNoId + path).status, 404) << path;
        EXPECT_EQ(get(fmt::format("/chat/%3Cscript%3E{}", path)).status, 404) << path;
    }
}

TEST_F(ChatRoutes, RefusedMessagesAreNotLost) {
    for (const std::string& text : {std::string("+++"), std::string(270'000, 'x')}) {
        const auto page = post_form("/chat", "message=" + text);
        EXPECT_EQ(page.status, text.size() > 1000 ? 413 : 400);
        EXPECT_TRUE(page.body.contains("class=\"trouble\""));
        if (text.size() > 1000) {
            EXPECT_TRUE(page.body.contains(text));
        }
    }
    EXPECT_FALSE(get("/").body.contains("href=\"/chat/")) << "no empty conversation is left";
    EXPECT_EQ(post_form("/chat", "message=%FF").status, 400);
    EXPECT_EQ(post_form("/chat", "message=x", "Origin: http://evil.example\r\n").status, 403);
}

TEST_F(ChatRoutes, TheStorageErrorIsOnThePage) {
    context_->storage_error = "<data> is read-only";
    EXPECT_TRUE(get("/").body.contains("&lt;data&gt; is read-only"));
    context_->storage_error.clear();
}

TEST_F(ChatRoutes, ALinkMayPrefillNothingMore) {
    const auto page = get("/?prefill=%3C/textarea%3E%3Cscript%3E");
    EXPECT_TRUE(page.body.contains("&lt;/textarea&gt;&lt;script&gt;</textarea>"));
    EXPECT_FALSE(page.body.contains("href=\"/chat/"));
}

}  // namespace
}  // namespace notso::web
