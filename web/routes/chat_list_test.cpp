// Searching, pinning and deleting with undo over real sockets: pages without script, fragments for
// htmx, hostile text.
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

const std::string kNoId(32, '0');

class ChatListRoutes : public AppFixture {
  protected:
    RawResponse typed(std::string_view query, std::string_view headers = "") {
        return RawClient(server_->port())
            .ask(get_request(fmt::format("/search?q={}", query),
                             fmt::format("HX-Request: true\r\n{}", headers)));
    }
    /// Makes a conversation whose answer has ended; its path.
    std::string new_chat(std::string_view message) {
        const auto response = post_form("/chat", fmt::format("message={}", message));
        EXPECT_EQ(response.status, 303) << response.body;
        const std::string location(response.header("location"));
        EXPECT_TRUE(get(location).complete);  // it is followed to its end
        return location.substr(0, location.find('?'));
    }
};

TEST_F(ChatListRoutes, FindsTitlesAndTextsWithoutScript) {
    const std::string chat = new_chat("Where+is+Rome");
    const auto page = get("/search?q=rome");
    EXPECT_EQ(page.status, 200);
    EXPECT_TRUE(page.body.contains("<title>Search"));
    EXPECT_TRUE(page.body.contains(fmt::format("<a href=\"{}\">", chat)));
    EXPECT_TRUE(page.body.contains("Where is <mark>Rome</mark>"));
    EXPECT_TRUE(page.body.contains("<span class=\"hit-day\">Today</span>"));
    EXPECT_TRUE(page.body.contains("value=\"rome\"")) << "the field keeps what was asked";
    EXPECT_TRUE(page.body.contains(fmt::format("<a href=\"{}?at=", chat)));
    EXPECT_TRUE(get("/search?q=carthage").body.contains("Nothing found for “carthage”."));
    EXPECT_EQ(get("/search").status, 200);
}

TEST_F(ChatListRoutes, TypingGetsFragments) {
    const std::string chat = new_chat("Where+is+Rome");
    const auto found = typed("ROME");
    EXPECT_EQ(found.status, 200);
    EXPECT_FALSE(found.body.contains("<html"));
    EXPECT_TRUE(found.body.contains("<mark>Rome</mark>"));
    EXPECT_TRUE(found.body.contains("2 results"));
    EXPECT_TRUE(typed("carthage").body.contains("Nothing found"));
    const auto cleared = typed("+", fmt::format("HX-Current-URL: http://localhost{}\r\n", chat));
    EXPECT_TRUE(cleared.body.contains("id=\"chat-" + chat.substr(6)));
    EXPECT_TRUE(cleared.body.contains("aria-current=\"page\""));
    EXPECT_FALSE(cleared.body.contains("result"));
}

TEST_F(ChatListRoutes, HostileTextStaysText) {
    new_chat("%3Cimg+src%3Dx+onerror%3Dalert%281%29%3E%22%27%26+mark");
    for (const std::string_view query :
         {"%3Cimg", "%22%27%26", "onerror", "mark", "%25", "_", "%27%3B--"}) {
        for (const auto& response : {typed(query), get("/search?q=" + std::string(query))}) {
            EXPECT_EQ(response.status, 200) << query;
            EXPECT_FALSE(response.body.contains("<img")) << query;
            EXPECT_FALSE(response.body.contains("\"'&")) << query;
        }
    }
    EXPECT_TRUE(typed("%3Cimg").body.contains("<mark>&lt;img</mark>"));
    EXPECT_EQ(typed(std::string(401, 'x')).status, 400);
    EXPECT_EQ(get("/search?q=" + std::string(400, 'x')).status, 200);
    EXPECT_EQ(get("/search?q=%FF").status, 400);
}

TEST_F(ChatListRoutes, PinnedChatsStandOnTop) {
    const std::string chat = new_chat("first");
    const std::string later = new_chat("second");
    EXPECT_FALSE(get("/").body.contains(">Pinned</h2>"));
    EXPECT_EQ(post_form(chat + "/pin", "pinned=1").header("location"), chat);
    const std::string page = get(chat).body;
    EXPECT_TRUE(page.contains("Unpin this chat"));
    EXPECT_LT(page.find(">Pinned</h2>"), page.find(">Today</h2>"));
    EXPECT_LT(page.find("id=\"chat-" + chat.substr(6)), page.find("id=\"chat-" + later.substr(6)));
    const auto context = get("/api/context");
    EXPECT_TRUE(context.body.contains("second")) << "the newest one, as before";
    EXPECT_EQ(post_form(chat + "/pin", "").status, 303);
    EXPECT_FALSE(get("/").body.contains(">Pinned</h2>"));
}

TEST_F(ChatListRoutes, ArchivedChatsLeaveTheListAndComeBack) {
    const std::string chat = new_chat("walrus");
    const std::string link = "id=\"chat-" + chat.substr(6);
    const std::string form = "action=\"" + chat + "/archive\"><button aria-label";
    EXPECT_FALSE(get("/archived").body.contains(form));
    EXPECT_EQ(post_form(chat + "/archive", "archived=1").header("location"), chat);
    EXPECT_FALSE(get("/").body.contains(link));
    EXPECT_TRUE(get("/archived").body.contains("href=\"" + chat + "\""));
    EXPECT_TRUE(get("/search?q=walrus").body.contains(chat)) << "it is found as before";
    EXPECT_TRUE(get(chat).body.contains("This chat is archived"));
    EXPECT_EQ(post_form(chat + "/archive", "").status, 303);
    EXPECT_TRUE(get("/").body.contains(link));
    EXPECT_FALSE(get("/archived").body.contains(form));
    const std::string box = "chat-" + chat.substr(6) + "=1";
    EXPECT_EQ(post_form("/chats/archive", box).header("location"), "/archived");
    EXPECT_TRUE(get("/archived").body.contains(form));
    EXPECT_EQ(post_form("/chats/archive", "").status, 400);
}

TEST_F(ChatListRoutes, DeletedChatsCanBeTakenBack) {
    const std::string chat = new_chat("Where+is+Rome");
    const std::string id = chat.substr(6);
    const auto deleted = post_form(chat + "/delete", "");
    EXPECT_EQ(deleted.header("location"), "/?deleted=" + id);
    const std::string page = get(deleted.header("location")).body;
    EXPECT_TRUE(page.contains(fmt::format("action=\"{}/restore\"", chat)));
    EXPECT_FALSE(page.contains(fmt::format("href=\"{}\"", chat)));
    EXPECT_EQ(get(chat).status, 404);
    EXPECT_EQ(post_form(chat + "/messages", "message=x").status, 404);
    EXPECT_EQ(post_form(chat + "/delete", "").status, 404);
    EXPECT_TRUE(typed("rome").body.contains("Nothing found"));
    EXPECT_EQ(post_form(chat + "/restore", "").header("location"), chat);
    EXPECT_EQ(get(chat).status, 200);
    EXPECT_EQ(post_form(chat + "/restore", "").status, 404);
    EXPECT_FALSE(get("/").body.contains("id=\"undo\""));
}

TEST_F(ChatListRoutes, ExportsWhatIsShownAndEveryVersion) {
    const std::string chat = new_chat("Where+is+%3Cb%3ERome%3C/b%3E");
    const std::string id = chat.substr(6);
    const auto answer = store_.messages({services::local_owner(), {id}})->back();
    ASSERT_EQ(post_form(chat + "/revise", fmt::format("message={}&text=It+moved", answer.id.value))
                  .status,
              303);
    const auto markdown = get(chat + "/export?format=md");
    EXPECT_EQ(markdown.header("content-type"), "text/markdown; charset=utf-8");
    EXPECT_EQ(markdown.header("content-disposition"), "attachment; filename=\"chat.md\"");
    EXPECT_TRUE(markdown.body.contains("Where is <b>Rome</b>"));
    EXPECT_TRUE(markdown.body.contains("It moved"));
    EXPECT_FALSE(markdown.body.contains(answer.text));
    const auto file = get(chat + "/export?format=json");
    EXPECT_EQ(file.header("content-disposition"), "attachment; filename=\"chat.json\"");
    const auto parsed = boost::json::parse(file.body).as_object();
    const auto& messages = parsed.at("messages").as_array();
    ASSERT_EQ(messages.size(), 3U);
    EXPECT_EQ(messages[1].at("text").as_string(), answer.text);
    EXPECT_EQ(messages[1].at("parent"), messages[0].at("id"));
    EXPECT_EQ(messages[2].at("parent"), messages[0].at("id"));
    EXPECT_EQ(parsed.at("leaf"), messages[2].at("id"));
    EXPECT_EQ(parsed.at("notso_conversation"), boost::json::value(1)) << "it can be imported";
    EXPECT_EQ(get(chat + "/export?format=exe").status, 400);
    EXPECT_EQ(get("/chat/" + kNoId + "/export").status, 404);
}

TEST_F(ChatListRoutes, ALongListSaysWhereTheRestIs) {
    for (int i = 0; i < 300; ++i)
        ASSERT_TRUE(store_.create_conversation({.id = {random_id()},
                                                .title = fmt::format("chat {}", i),
                                                .updated_at = i + 1,
                                                .owner = services::local_owner()}));
    EXPECT_FALSE(get("/").body.contains("Older chats"));
    ASSERT_TRUE(store_.create_conversation({.id = {random_id()},
                                            .title = "the newest",
                                            .updated_at = 1000,
                                            .owner = services::local_owner()}));
    const std::string page = get("/").body;
    EXPECT_TRUE(page.contains("Older chats are found by Search."));
    EXPECT_TRUE(page.contains("the newest"));
    EXPECT_FALSE(page.contains(">chat 0<"));
    EXPECT_LT(page.size(), 100'000U);
}

TEST_F(ChatListRoutes, ALinkCantMakeTheUndoSomethingElse) {
    for (const std::string_view link : {"../../models/pull/cancel?", "%22%3E%3Cb%3E", "0", ""})
        EXPECT_FALSE(get(fmt::format("/?deleted={}", link)).body.contains("/restore")) << link;
    EXPECT_TRUE(get("/?deleted=" + kNoId).body.contains("/chat/" + kNoId + "/restore"));
}

}  // namespace
}  // namespace notso::web
