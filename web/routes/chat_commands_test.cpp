// Slash commands as messages: done by the server, told in words, never sent to the model; with htmx
// and by a browser without script.
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

constexpr std::string_view kHtmx = "HX-Request: true\r\n";

class ChatCommands : public AppFixture {
  protected:
    /// A conversation in which somebody was answered.
    std::string new_chat() {
        const auto made = post_form("/chat", "message=hello");
        const std::string path = std::string(made.header("location")).substr(0, 38);
        EXPECT_TRUE(path.starts_with("/chat/")) << made.status;
        get(path + "?follow=1");
        EXPECT_TRUE(wait_idle());
        return path;
    }
    services::Conversation stored(const std::string& path) {
        return *store_.conversation({services::local_owner(), {path.substr(6, 32)}});
    }
    std::size_t n_messages(const std::string& path) {
        return store_.messages({services::local_owner(), {path.substr(6, 32)}})->size();
    }
    /// Sends a command without script, and follows where it leads.
    std::string told(const std::string& path, std::string_view command) {
        const auto done = post_form(path + "/messages", fmt::format("message={}", command));
        EXPECT_EQ(done.status, 303) << command << done.body;
        return get(done.header("location")).body;
    }
    static bool says(const std::string& page, std::string_view words) {
        const std::size_t at = page.find("id=\"told\" role=\"status\"");
        return at != std::string::npos && page.substr(at, 700).contains(words);
    }
};

TEST_F(ChatCommands, ChangeTheChatAndSaySo) {
    const std::string chat = new_chat();
    EXPECT_TRUE(says(told(chat, "/temp 0.7"), "The temperature is 0.7."));
    EXPECT_EQ(stored(chat).settings.temperature, 0.7);
    EXPECT_TRUE(says(told(chat, "/temp"), "the model’s own"));
    EXPECT_EQ(stored(chat).settings.temperature, std::nullopt);
    EXPECT_TRUE(says(told(chat, "/system Be%0D%0A brief. "), "“Be\n brief.”"));
    EXPECT_EQ(stored(chat).settings.system_prompt, "Be\n brief.");
    EXPECT_TRUE(says(told(chat, "/system"), "no system prompt"));
    EXPECT_TRUE(says(told(chat, "/think"), "Thinking is on."));
    EXPECT_TRUE(stored(chat).thinking);
    EXPECT_TRUE(says(told(chat, "/NO_THINK"), "Thinking is off."));
    EXPECT_FALSE(stored(chat).thinking);
    EXPECT_TRUE(says(told(chat, "/budget 500"), "500 tokens at most"));
    EXPECT_EQ(stored(chat).settings.thinking_budget, 500);
    EXPECT_TRUE(says(told(chat, "/budget 0"), "as the model likes"));
    EXPECT_TRUE(says(told(chat, "/budget"), "as usual"));
    EXPECT_TRUE(says(told(chat, "/stats"), "The last answer: prompt"));
    EXPECT_TRUE(says(told(chat, "/status"), "Nothing is being written"));
    EXPECT_TRUE(says(told(chat, "/model"), "This chat is answered by"));
    EXPECT_TRUE(told(chat, "/theme dark").contains("data-theme=\"dark\""));
    EXPECT_EQ(n_messages(chat), 2U) << "none of it is a message";
}

TEST_F(ChatCommands, LeadToPages) {
    const std::string chat = new_chat();
    for (const auto& [command, path] : {std::pair<std::string_view, std::string>{"/new", "/"},
                                        {"/tools", "/tools"},
                                        {"/settings", chat + "/settings"},
                                        {"/help", "/help"},
                                        {"/export", chat + "/export?format=md"},
                                        {"/export json", chat + "/export?format=json"}}) {
        const auto plain = post_form(chat + "/messages", fmt::format("message={}", command));
        EXPECT_EQ(plain.header("location"), path) << command;
        const auto htmx = post_form(chat + "/messages", fmt::format("message={}", command), kHtmx);
        EXPECT_EQ(htmx.header("hx-redirect"), path) << command;
        EXPECT_EQ(htmx.status, 200);
    }
    EXPECT_EQ(n_messages(chat), 2U);
}

TEST_F(ChatCommands, AreToldInPlaceToHtmx) {
    const std::string chat = new_chat();
    const auto done = post_form(chat + "/messages", "message=/temp 1", kHtmx);
    EXPECT_EQ(done.status, 200);
    EXPECT_TRUE(done.body.contains("hx-target=\"#told\"")) << done.body;
    EXPECT_TRUE(done.body.contains("The temperature is 1."));
    EXPECT_TRUE(done.header("hx-redirect").empty());
    const auto refused = post_form(chat + "/messages", "message=/temp 9", kHtmx);
    EXPECT_EQ(refused.status, 200) << "or htmx would not show it";
    EXPECT_TRUE(refused.body.contains("data-refused"));
    EXPECT_TRUE(refused.body.contains("it must be a number from 0 to 2"));
    EXPECT_EQ(stored(chat).settings.temperature, 1);
}

TEST_F(ChatCommands, WhatIsNoneIsRefusedOrAMessage) {
    const std::string chat = new_chat();
    const auto unknown = post_form(chat + "/messages", "message=/frob <b>it</b>");
    EXPECT_EQ(unknown.status, 400);
    EXPECT_TRUE(unknown.body.contains("There is no command /frob"));
    EXPECT_TRUE(unknown.body.contains("begin it with a space or with //"));
    EXPECT_TRUE(unknown.body.contains("/frob &lt;b&gt;it&lt;/b&gt;</textarea>")) << "it is kept";
    for (const std::string_view bad : {"/temp hot",
                                       "/budget -1",
                                       "/budget 131073",
                                       "/theme blue",
                                       "/model nothing-like-it",
                                       "/new idea",
                                       "/export pdf",
                                       "/system "}) {
        const auto refused = post_form(chat + "/messages", fmt::format("message={}", bad));
        EXPECT_EQ(refused.status, bad == "/system " ? 303 : 400) << bad;
    }
    EXPECT_EQ(n_messages(chat), 2U);
    for (const auto& [sent, kept] :
         {std::pair<std::string_view, std::string_view>{"//temp 1", "/temp 1"},
          {" /temp 1", " /temp 1"},
          {"/usr/bin is a folder", "/usr/bin is a folder"}}) {
        EXPECT_EQ(post_form(chat + "/messages", fmt::format("message={}", sent)).status, 303);
        get(chat + "?follow=1");
        EXPECT_TRUE(wait_idle());
        const auto messages = *store_.messages({services::local_owner(), {chat.substr(6, 32)}});
        EXPECT_EQ(messages.at(messages.size() - 2).text, kept);
    }
    EXPECT_EQ(stored(chat).settings.temperature, std::nullopt);
}

TEST_F(ChatCommands, AnswersAreAskedForAgainAndGoOn) {
    const std::string chat = new_chat();
    const auto again = post_form(chat + "/messages", "message=/regenerate");
    EXPECT_EQ(again.status, 303);
    EXPECT_TRUE(again.header("location").contains("follow=1"));
    const std::string page = get(again.header("location")).body;
    EXPECT_TRUE(says(page, "Another answer was asked for."));
    EXPECT_TRUE(wait_idle());
    EXPECT_EQ(n_messages(chat), 3U) << "beside the first one";
    EXPECT_EQ(post_form(chat + "/messages", "message=/continue").status, 400) << "it is whole";
    const services::ConversationKey key(services::local_owner(), {chat.substr(6, 32)});
    services::Message cut = store_.messages(key)->back();
    cut.state = services::MessageState::kStopped;
    cut.text.resize(10);
    ASSERT_TRUE(store_.update_message(cut));
    const auto on = post_form(chat + "/messages", "message=/continue");
    EXPECT_EQ(on.status, 303) << on.body;
    get(chat + "?follow=1");
    EXPECT_TRUE(wait_idle());
    EXPECT_GT(store_.messages(key)->back().text.size(), 10U);
}

TEST_F(ChatCommands, ClearAndResetBeginAnewAndLoseNothing) {
    const std::string chat = new_chat();
    told(chat, "/temp 0.3");
    const auto reset = post_form(chat + "/messages", "message=/reset");
    const std::string fresh = std::string(reset.header("location")).substr(0, 38);
    EXPECT_NE(fresh, chat);
    EXPECT_TRUE(says(get(reset.header("location")).body, "the settings of the one before"));
    EXPECT_EQ(stored(fresh).settings.temperature, 0.3);
    EXPECT_EQ(n_messages(fresh), 0U);
    EXPECT_EQ(n_messages(chat), 2U);
    const std::string page = told(chat, "/clear");
    EXPECT_TRUE(page.contains("Undo"));
    EXPECT_EQ(get(chat).status, 404);
    EXPECT_EQ(post_form(chat + "/restore", "").status, 303);
    EXPECT_EQ(n_messages(chat), 2U);
}

TEST_F(ChatCommands, BeginAChatWhereTheyNeedOne) {
    const auto system = post_form("/chat", "message=/system Be brief.");
    EXPECT_EQ(system.status, 303);
    const std::string chat = std::string(system.header("location")).substr(0, 38);
    EXPECT_TRUE(says(get(system.header("location")).body, "“Be brief.”"));
    EXPECT_EQ(stored(chat).settings.system_prompt, "Be brief.");
    const auto htmx = post_form("/chat", "message=/think", kHtmx);
    EXPECT_TRUE(htmx.header("hx-redirect").starts_with("/chat/"));
    const auto count = [this] {
        return store_.list_conversations(services::local_owner(), 100)->size();
    };
    EXPECT_EQ(count(), 2U);
    for (const std::string_view refused : {"/temp 9",
                                           "/frob",
                                           "/stats",
                                           "/continue",
                                           "/regenerate",
                                           "/compact",
                                           "/export",
                                           "/model nothing"}) {
        const auto page = post_form("/chat", fmt::format("message={}", refused));
        EXPECT_EQ(page.status, 400) << refused;
        EXPECT_TRUE(page.body.contains(fmt::format("{}</textarea>", refused))) << refused;
    }
    for (const std::string_view leads :
         {"/new", "/clear", "/reset", "/help", "/settings", "/tools", "/model", "/theme light"})
        EXPECT_EQ(post_form("/chat", fmt::format("message={}", leads)).status, 303) << leads;
    EXPECT_EQ(count(), 2U) << "no empty chat is left behind";
}

TEST_F(ChatCommands, OfTemporaryChatsNothingIsStored) {
    const auto begun = post_form("/chat", "message=/system Xylophonenkonzert&temporary=1");
    EXPECT_EQ(begun.status, 303);
    const std::string chat = std::string(begun.header("location")).substr(0, 38);
    EXPECT_TRUE(says(get(begun.header("location")).body, "Xylophonenkonzert"));
    const auto reset = post_form(chat + "/messages", "message=/reset");
    EXPECT_TRUE(says(get(reset.header("location")).body, "the settings of the one before"));
    EXPECT_TRUE(stored(chat).temporary);
    EXPECT_TRUE(stored(std::string(reset.header("location")).substr(0, 38)).temporary);
    const auto refused = post_form("/chat", "message=/frob&temporary=1");
    EXPECT_TRUE(refused.body.contains("name=\"temporary\" value=\"1\"")) << "it stays one";
}

TEST_F(ChatCommands, FilesWaitForAMessage) {
    const std::string file = "file-" + std::string(32, 'a');
    const auto refused = post_form("/chat", fmt::format("message=/think&{}=1", file));
    EXPECT_EQ(refused.status, 400);
    EXPECT_TRUE(refused.body.contains("Files go with a message"));
}

TEST_F(ChatCommands, ALinkCanSayOnlyWhatIsSo) {
    const std::string chat = new_chat();
    EXPECT_TRUE(says(get(chat + "?did=temp").body, "The temperature is the model’s own."));
    for (const std::string_view did : {"<b>", "temp%20", "new", "frob", ""})
        EXPECT_TRUE(says(get(fmt::format("{}?did={}", chat, did)).body, "role=\"status\"></div>"))
            << did;
}

TEST_F(ChatCommands, HelpListsThemAll) {
    const std::string page = get("/help").body;
    const std::string menu = get("/help?part=commands").body;
    for (const std::string_view name : {"new", "temp", "summarize", "no_think", "theme"}) {
        EXPECT_TRUE(page.contains(fmt::format("<code>/{}", name))) << name;
        EXPECT_TRUE(menu.contains(fmt::format("id=\"command-{}\"", name))) << name;
    }
    EXPECT_FALSE(page.contains("/exit")) << "that is the terminal's";
    EXPECT_TRUE(page.contains("<kbd>Ctrl</kbd> + <kbd>K</kbd>"));
    EXPECT_TRUE(get("/help?part=dialog").body.contains("<dialog"));
    EXPECT_TRUE(RawClient(server_->port())
                    .ask(get_request("/help", "Accept-Language: de\r\n"))
                    .body.contains("Tastenkürzel"));
}

}  // namespace
}  // namespace notso::web
