// Messages sent while an answer runs, over real sockets: forms and fragments.
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

class WaitingRoutes : public AppFixture {
  protected:
    static std::string between(std::string_view text, std::string_view before, char after) {
        const std::size_t begin = text.find(before);
        if (begin == std::string_view::npos) return {};
        const std::string_view rest = text.substr(begin + before.size());
        return std::string(rest.substr(0, rest.find(after)));
    }
    /// A chat in which something is being written, for seconds.
    std::string busy_chat() {
        const auto response = post_form("/chat", "message=%5Blong+400%5D+%5Bslow%5D");
        return between(response.header("location"), "", '?');
    }
    RawResponse say(const std::string& chat, std::string_view text, std::string_view headers = "") {
        return post_form(
            chat + "/messages", fmt::format("message={0}&client_id=id-{0}", text), headers);
    }
    std::string wait_for(const std::string& path, std::string_view what) {
        for (int i = 0; i < 500; ++i) {
            std::string page = get(path).body;
            if (page.contains(what)) return page;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        ADD_FAILURE() << what << " does not come";
        return {};
    }
};

TEST_F(WaitingRoutes, WhatIsSentMeanwhileWaitsAndIsSent) {
    const std::string chat = busy_chat();
    EXPECT_EQ(say(chat, "second").header("location"), chat + "?follow=1");
    const auto fragment = say(chat, "third<b>", "HX-Request: true\r\n");
    EXPECT_EQ(fragment.status, 200);
    EXPECT_TRUE(fragment.body.starts_with("<hx-partial hx-target=\"#waiting\"")) << fragment.body;
    EXPECT_TRUE(fragment.body.contains("third&lt;b&gt;"));
    const std::string page = get(chat).body;
    EXPECT_LT(page.find(">second</span>"), page.find(">third&lt;b&gt;</span>"));
    EXPECT_TRUE(page.contains(">Stop and send</button>"));
    EXPECT_TRUE(page.contains("id=\"later-button\""));
    EXPECT_EQ(post_form(chat + "/stop", "").status, 303);
    const std::string next = wait_for(chat, "<div class=\"said\" dir=\"auto\">third&lt;b&gt;</div>");
    EXPECT_LT(next.find("<div class=\"said\" dir=\"auto\">second</div>"),
              next.find("<div class=\"said\" dir=\"auto\">third&lt;b&gt;</div>"));
    EXPECT_FALSE(get(chat).body.contains(">Stop and send</button>"));
}

TEST_F(WaitingRoutes, OneIsWithdrawnAndItsTextIsNotLost) {
    const std::string chat = busy_chat();
    say(chat, "second");
    say(chat, "third");
    const auto page = post_form(chat + "/withdraw", "client_id=id-second");
    EXPECT_EQ(page.status, 200);
    EXPECT_TRUE(page.body.contains(">second</textarea>"));
    EXPECT_FALSE(page.body.contains(">second</span>"));
    const auto fragment =
        post_form(chat + "/withdraw", "client_id=id-third", "HX-Request: true\r\n");
    EXPECT_FALSE(fragment.body.contains("third"));
    EXPECT_EQ(post_form(chat + "/withdraw", "client_id=id-third").status, 404);
    EXPECT_EQ(post_form("/chat/" + std::string(32, '0') + "/withdraw", "client_id=a").status, 404);
}

TEST_F(WaitingRoutes, EveryTabIsToldOverItsStream) {
    const std::string chat = busy_chat();
    RawClient tab(server_->port());
    tab.send(get_request(chat + "/stream"));
    say(chat, "second");
    std::string told;
    for (int i = 0; i < 200 && !told.contains("second</span>"); ++i)
        told += tab.read_some(4096, 50);
    EXPECT_TRUE(told.contains("hx-target=\"#waiting\""));
    EXPECT_TRUE(told.contains("second</span>"));
}

}  // namespace
}  // namespace notso::web
