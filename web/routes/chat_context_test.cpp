// How full the context is, the ledger and summaries over real sockets, without script and with it.
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

const std::string kNoId(32, '0');

class ChatContextRoutes : public AppFixture {
  protected:
    /// Makes a conversation of that many exchanges; its path.
    std::string new_chat(int exchanges, std::string_view first = "Where+is+Rome") {
        const auto response = post_form("/chat", fmt::format("message={}", first));
        EXPECT_EQ(response.status, 303) << response.body;
        std::string path(response.header("location"));
        EXPECT_TRUE(get(path).complete);  // it is followed to its end
        path = path.substr(0, path.find('?'));
        for (int i = 1; i < exchanges; ++i) {
            EXPECT_EQ(post_form(path + "/messages", "message=And+now").status, 303);
            EXPECT_TRUE(get(path + "?follow=1").complete);
        }
        return path;
    }
};

TEST_F(ChatContextRoutes, TheBarLeadsToTheLedger) {
    const std::string chat = new_chat(2);
    const std::string page = get(chat).body;
    EXPECT_TRUE(page.contains(fmt::format("href=\"{}/context\" data-level=\"low\"", chat)));
    EXPECT_TRUE(page.contains("<span>Context "));
    EXPECT_FALSE(get("/").body.contains("<span>Context ")) << "nothing is said yet";
    const auto bar = get(chat + "/context/bar");
    EXPECT_EQ(bar.status, 200);
    EXPECT_TRUE(bar.body.contains("data-level=\"low\""));
    EXPECT_FALSE(bar.body.contains("<html"));

    const auto ledger = get(chat + "/context");
    EXPECT_EQ(ledger.status, 200);
    EXPECT_TRUE(ledger.body.contains("<title>Context"));
    EXPECT_TRUE(ledger.body.contains("Where is Rome"));
    EXPECT_TRUE(ledger.body.contains("<td>Kept</td>"));
    EXPECT_FALSE(ledger.body.contains("Left out"));
    EXPECT_TRUE(ledger.body.contains(fmt::format("action=\"{}/compact\"", chat)));
}

TEST_F(ChatContextRoutes, ASummaryIsShownInTheLedgerAndTheBar) {
    const std::string chat = new_chat(2);
    const auto compacted = post_form(chat + "/compact", "");
    EXPECT_EQ(compacted.status, 303) << compacted.body;
    EXPECT_EQ(compacted.header("location"), chat + "/context");
    const std::string ledger = get(chat + "/context").body;
    EXPECT_TRUE(ledger.contains("The summary</h2>"));
    EXPECT_TRUE(ledger.contains("<td>Summarised</td>"));
    EXPECT_FALSE(ledger.contains("/compact\"")) << "one exchange is left, which stays";
    const std::string page = get(chat).body;
    EXPECT_TRUE(page.contains("2 messages summarised"));
    EXPECT_TRUE(page.contains("Where is Rome")) << "the messages stay";
    EXPECT_TRUE(ledger.contains("nothing to summarise now"));
    EXPECT_EQ(post_form(chat + "/compact", "").header("location"), chat + "/context");
}

TEST_F(ChatContextRoutes, NoConversationNoLedger) {
    for (const std::string_view path : {"/context", "/context/bar"})
        EXPECT_EQ(get(fmt::format("/chat/{}{}", kNoId, path)).status, 404) << path;
    EXPECT_EQ(post_form("/chat/" + kNoId + "/compact", "").status, 404);
}

TEST_F(ChatContextRoutes, HostileTextStaysText) {
    const std::string chat = new_chat(1, "%3Cimg+src%3Dx+onerror%3Dalert%281%29%3E");
    const std::string ledger = get(chat + "/context").body;
    EXPECT_FALSE(ledger.contains("<img"));
    EXPECT_TRUE(ledger.contains("&lt;img"));
}

class SmallContext : public ChatContextRoutes {
  protected:
    void SetUp() override { start({.context_length = 200}); }
};

TEST_F(SmallContext, AMessageThatCantFitIsExplainedAndKept) {
    const std::string chat = new_chat(1, "hi");
    std::string text = "first+words";
    for (int i = 0; i < 300; ++i) text += "+word";
    const auto refused = post_form(chat + "/messages", "message=" + text);
    EXPECT_EQ(refused.status, 400);
    EXPECT_TRUE(refused.body.contains("first words word")) << "the text is kept";
    EXPECT_TRUE(refused.body.contains("200")) << refused.body;
    EXPECT_EQ(store_.messages({services::local_owner(), {chat.substr(6)}})->size(), 2U)
        << "nothing was stored";
    const auto typed = post_form(chat + "/messages", "message=" + text, "HX-Request: true\r\n");
    EXPECT_TRUE(typed.body.contains("hx-target=\"#alert\""));
    const auto first = post_form("/chat", "message=" + text);
    EXPECT_EQ(first.status, 400);
    EXPECT_TRUE(first.body.contains("first words word"));
    EXPECT_EQ(store_.list_conversations(services::local_owner(), 10)->size(), 1U)
        << "no empty chat is left behind";
}

TEST_F(SmallContext, TheBarTurnsAndTheLedgerSaysWhatIsLeftOut) {
    const std::string chat = new_chat(14, "hi+there");
    const std::string bar = get(chat + "/context/bar").body;
    EXPECT_FALSE(bar.contains("data-level=\"low\"")) << bar;
    EXPECT_TRUE(bar.contains("filling up") || bar.contains("nearly full")) << bar;
    const std::string ledger = get(chat + "/context").body;
    EXPECT_TRUE(ledger.contains("<td>Left out</td>"));
    EXPECT_TRUE(ledger.contains("will not be read"));
}

}  // namespace
}  // namespace notso::web
