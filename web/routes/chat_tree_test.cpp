// Answers again, edited questions and versions over real sockets: forms and fragments, and what
// stays on the page. And the draft's address.
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

class TreeRoutes : public AppFixture {
  protected:
    static std::string between(std::string_view text, std::string_view before, char after) {
        const std::size_t begin = text.find(before);
        if (begin == std::string_view::npos) return {};
        const std::string_view rest = text.substr(begin + before.size());
        return std::string(rest.substr(0, rest.find(after)));
    }
    static std::size_t count(std::string_view text, std::string_view what) {
        std::size_t n = 0;
        for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
            ++n;
        return n;
    }
    std::string finished_page(const std::string& chat) {
        EXPECT_TRUE(wait_idle());
        for (int i = 0; i < 500; ++i) {
            const std::string page = get(chat).body;
            if (!page.contains("stop-button")) return page;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        ADD_FAILURE() << "the answer does not end";
        return {};
    }
    std::string new_chat(std::string_view message) {
        const auto response = post_form("/chat", fmt::format("message={}", message));
        return between(response.header("location"), "", '?');
    }
    /// Fields of the form that a page offers.
    static std::string again_fields(std::string_view page) {
        return fmt::format("question={}&answer={}&client_id={}",
                           between(page, "name=\"question\" value=\"", '"'),
                           between(page, "name=\"answer\" value=\"", '"'),
                           between(page, "name=\"client_id\" value=\"", '"'));
    }
};

TEST_F(TreeRoutes, AnAnswerIsAskedForAgainAndStays) {
    for (const std::string_view message : {"%5Berror%5D", "hello"}) {
        const std::string chat = new_chat(message);
        const std::string fields = again_fields(finished_page(chat));
        EXPECT_EQ(post_form(chat + "/regenerate", fields).header("location"), chat + "?follow=1");
        const std::string page = finished_page(chat);
        EXPECT_EQ(count(page, "<article class=\"assistant\""), 1U);
        EXPECT_EQ(count(page, "class=\"user\""), 1U);
        EXPECT_TRUE(page.contains(">2/2</span>")) << page;
        const std::string old = between(fields, "answer=", '&');
        EXPECT_FALSE(page.contains("id=\"m-" + old + "\""));
        EXPECT_EQ(post_form(chat + "/version", "message=" + old).header("location"), chat);
        const std::string before = get(chat).body;
        EXPECT_TRUE(before.contains("id=\"m-" + old + "\""));
        EXPECT_TRUE(before.contains(">1/2</span>"));
    }
}

TEST_F(TreeRoutes, HtmxGetsTheMessagesAndWhatRuns) {
    const std::string chat = new_chat("%5Berror%5D+%5Bslow%5D");
    const std::string fields = again_fields(finished_page(chat));
    const auto first = post_form(chat + "/regenerate", fields, "HX-Request: true\r\n");
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(count(first.body, "<article class=\"assistant\""), 1U);
    EXPECT_EQ(count(first.body, "class=\"user\""), 1U);
    EXPECT_TRUE(first.body.contains("hx-sse:connect=\"" + chat + "/stream?from="));
    const auto second = post_form(chat + "/regenerate", fields, "HX-Request: true\r\n");
    EXPECT_EQ(between(second.body, "article class=\"assistant\" id=\"m-", '"'),
              between(first.body, "article class=\"assistant\" id=\"m-", '"'))
        << "clicked twice, asked once";
}

TEST_F(TreeRoutes, AStoppedAnswerGoesOn) {
    const std::string chat = new_chat("%5Blong+40%5D+%5Bslow%5D");
    for (int i = 0; i < 500 && !get(chat).body.contains("word2"); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(post_form(chat + "/stop", "").status, 303);
    const std::string cut = finished_page(chat);
    EXPECT_FALSE(cut.contains("word40"));
    ASSERT_TRUE(cut.contains("action=\"" + chat + "/continue\"")) << cut;
    const std::string answer = between(cut, "name=\"answer\" value=\"", '"');
    const auto begun = post_form(chat + "/continue", "answer=" + answer, "HX-Request: true\r\n");
    EXPECT_EQ(begun.status, 200);
    EXPECT_TRUE(begun.body.contains("word2")) << "what was written is there at once";
    EXPECT_TRUE(begun.body.contains("hx-sse:connect=\"" + chat + "/stream?from=" + answer));
    EXPECT_EQ(count(begun.body, "/continue\""), 0U);
    const auto news = get(chat + "/state?since=" + answer);
    EXPECT_TRUE(news.body.contains("id=\"m-" + answer + "\"")) << "another tab sees it go on";
    EXPECT_TRUE(news.body.contains("stop-button"));
    EXPECT_EQ(post_form(chat + "/continue", "answer=" + answer).header("location"),
              chat + "?follow=1")
        << "clicked twice, it goes on once";
    const std::string whole = finished_page(chat);
    EXPECT_TRUE(whole.contains("word39 word40<"));
    EXPECT_EQ(count(whole, "word2 "), 1U);
    EXPECT_FALSE(whole.contains("/continue\""));
    EXPECT_EQ(post_form(chat + "/continue", "answer=" + answer).status, 400);
    EXPECT_EQ(post_form(chat + "/continue", "answer=" + std::string(32, '0')).status, 404);
}

TEST_F(TreeRoutes, AQuestionIsEditedInAForm) {
    const std::string chat = new_chat("hello");
    const std::string page = finished_page(chat);
    const std::string question = between(page, "name=\"question\" value=\"", '"');
    const auto form = get(chat + "/message/" + question + "?edit=1");
    EXPECT_TRUE(form.body.starts_with("<div class=\"turn editing\" id=\"m-" + question + "\""))
        << form.body;
    EXPECT_TRUE(form.body.contains(">hello</textarea>"));
    EXPECT_TRUE(get(chat + "?edit=" + question).body.contains(">hello</textarea>"))
        << "the whole page, without script";
    EXPECT_TRUE(
        get(chat + "/message/" + question).body.contains("<div class=\"said\" dir=\"auto\">hello</div>"));
    EXPECT_EQ(get(chat + "/message/" + std::string(32, '0')).status, 404);

    const std::string fields =
        fmt::format("message={}&text=good%0D%0Abye&client_id=once", question);
    EXPECT_EQ(post_form(chat + "/edit", fields).status, 303);
    const std::string edited = finished_page(chat);
    EXPECT_TRUE(edited.contains("<div class=\"said\" dir=\"auto\">good\nbye</div>"));
    EXPECT_FALSE(edited.contains("<div class=\"said\" dir=\"auto\">hello</div>"));
    EXPECT_EQ(post_form(chat + "/edit", fmt::format("message={}&text=+", question)).status, 400);
}

TEST_F(TreeRoutes, AnAnswerIsRevisedAndDeleted) {
    const std::string chat = new_chat("hello");
    const std::string answer = between(finished_page(chat), "name=\"answer\" value=\"", '"');
    EXPECT_TRUE(get(chat + "/message/" + answer + "?edit=1").body.contains("/revise"));
    const auto saved = post_form(chat + "/revise", fmt::format("message={}&text=**mine**", answer));
    EXPECT_EQ(saved.header("location"), chat);
    const std::string page = get(chat).body;
    EXPECT_TRUE(page.contains("<strong>mine</strong>"));
    const std::string mine = between(page, "name=\"answer\" value=\"", '"');
    EXPECT_NE(mine, answer);
    EXPECT_EQ(post_form(chat + "/delete-message", "message=" + mine).status, 303);
    EXPECT_FALSE(get(chat).body.contains("mine"));
    EXPECT_EQ(post_form(chat + "/version", "message=" + answer).status, 303);
    EXPECT_TRUE(get(chat).body.contains("id=\"m-" + answer + "\""));
}

TEST_F(TreeRoutes, WhatIsNotThereOrForeignIsRefused) {
    const std::string chat = new_chat("hello");
    const std::string fields = again_fields(finished_page(chat));
    const std::string answer = "message=" + between(fields, "answer=", '&');
    const std::string other = new_chat("other");
    finished_page(other);
    for (const std::string_view action :
         {"/regenerate", "/edit", "/revise", "/version", "/delete-message"}) {
        const std::string path = chat + std::string(action);
        EXPECT_EQ(post_form(path, "question=x&answer=y&message=z&text=t").status, 404) << action;
        const std::string all = fields + "&text=t&" + answer;
        EXPECT_EQ(post_form("/chat/" + std::string(32, '0') + std::string(action), all).status,
                  404);
        EXPECT_EQ(post_form(other + std::string(action), all).status, 404) << action;
        EXPECT_EQ(post_form(path, all, "Origin: http://evil.example\r\n").status, 403);
    }
    EXPECT_TRUE(get(chat).body.contains("id=\"m-" + between(fields, "answer=", '&') + "\""));
}

TEST_F(TreeRoutes, DraftsAreTakenAndNothingIsKept) {
    const std::string chat = new_chat("hello");
    const std::string page = finished_page(chat);
    EXPECT_FALSE(page.contains("data-drafts")) << "this server does not read ahead";
    EXPECT_EQ(post_form(chat + "/draft", "message=What+if").status, 204);
    EXPECT_EQ(post_form(chat + "/draft", "").status, 204);
    EXPECT_EQ(post_form(chat + "/draft", "message=" + std::string(256 * 1024 + 1, 'x')).status,
              413);
    EXPECT_EQ(post_form("/chat/" + std::string(32, '0') + "/draft", "message=x").status, 404);
    EXPECT_EQ(post_form(chat + "/draft", "message=x", "Origin: http://evil.example\r\n").status,
              403);
    EXPECT_FALSE(get(chat).body.contains("What if"));
}

class DraftRoutes : public TreeRoutes {
  protected:
    DraftRoutes() { background_ = true; }
};

TEST_F(DraftRoutes, ThePageSendsThemWhereTheServerReadsAhead) {
    const std::string chat = new_chat("hello");
    EXPECT_TRUE(finished_page(chat).contains("data-drafts=\"" + chat + "/draft\""));
    EXPECT_FALSE(get("/").body.contains("data-drafts")) << "there is no conversation yet";
}

}  // namespace
}  // namespace notso::web
