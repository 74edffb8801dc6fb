// Several conversations at once.
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

class ChatBulk : public AppFixture {
  protected:
    /// Its id.
    std::string new_chat(std::string_view text) {
        const auto made = post_form("/chat", fmt::format("message={}", text));
        const std::string id(made.header("location").substr(6, 32));
        EXPECT_TRUE(wait_idle());
        return id;
    }
    static std::string box(const std::string& id) { return "chat-" + id + "=1"; }
};

TEST_F(ChatBulk, DeletesWhatIsTickedAndTakesItBack) {
    const std::string one = new_chat("Alpha");
    const std::string two = new_chat("Beta");
    const std::string kept = new_chat("Gamma");
    const auto list = get("/chats");
    EXPECT_TRUE(list.body.contains("name=\"chat-" + one + "\""));
    EXPECT_TRUE(list.body.contains("<span>Gamma</span>"));
    const auto deleted = post_form("/chats/delete", box(one) + "&" + box(two));
    EXPECT_EQ(deleted.status, 200);
    EXPECT_TRUE(deleted.body.contains("2 chats deleted"));
    EXPECT_FALSE(deleted.body.contains("<span>Alpha</span>"));
    EXPECT_TRUE(deleted.body.contains("<span>Gamma</span>"));
    EXPECT_EQ(get("/chat/" + one).status, 404);
    EXPECT_EQ(post_form("/chats/restore", box(one) + "&" + box(two)).header("location"), "/chats");
    for (const std::string& id : {one, two, kept}) EXPECT_EQ(get("/chat/" + id).status, 200);
}

TEST_F(ChatBulk, SaysWhatIsWrong) {
    const std::string chat = new_chat("Alpha");
    EXPECT_EQ(post_form("/chats/delete", "").status, 400);
    EXPECT_TRUE(post_form("/chats/delete", "").body.contains("No chat is ticked"));
    EXPECT_EQ(post_form("/chats/delete", box(std::string(32, '0'))).status, 404);
    EXPECT_EQ(post_form("/chats/delete", box("../x")).status, 404);
    EXPECT_EQ(post_form("/chats/delete", box(chat), "Origin: http://evil.example\r\n").status, 403);
    EXPECT_EQ(get("/chat/" + chat).status, 200);
    EXPECT_TRUE(get("/").body.contains("href=\"/chats\""));
}

TEST_F(ChatBulk, AnEmptyListSaysSo) {
    EXPECT_TRUE(get("/chats").body.contains("There are no chats yet."));
    EXPECT_FALSE(get("/").body.contains("href=\"/chats\""));
}

}  // namespace
}  // namespace notso::web
