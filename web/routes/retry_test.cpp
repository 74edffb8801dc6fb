// Retry of a failed answer over real sockets: forms and fragments, and what stays on the page. And
// the draft's address.
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

class RetryRoutes : public AppFixture {
  protected:
    RawResponse post_form(std::string_view path,
                          std::string_view fields,
                          std::string_view headers = "") {
        return RawClient(server_->port())
            .ask(fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                             "application/x-www-form-urlencoded\r\nContent-Length: "
                             "{}\r\n{}\r\n{}",
                             path,
                             fields.size(),
                             headers,
                             fields));
    }
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
    static std::string retry_fields(std::string_view page) {
        return fmt::format("question={}&answer={}",
                           between(page, "name=\"question\" value=\"", '"'),
                           between(page, "name=\"answer\" value=\"", '"'));
    }
};

TEST_F(RetryRoutes, AFailedAnswerIsAskedForAgainAndStays) {
    const std::string chat = new_chat("%5Berror%5D");
    const std::string failed = finished_page(chat);
    ASSERT_TRUE(failed.contains("action=\"" + chat + "/retry\""));
    const std::string fields = retry_fields(failed);
    EXPECT_EQ(post_form(chat + "/retry", fields).header("location"), chat + "?follow=1");
    const std::string page = finished_page(chat);
    EXPECT_EQ(count(page, "<article class=\"assistant\""), 2U);
    EXPECT_EQ(count(page, "class=\"user\""), 1U);
    EXPECT_EQ(count(page, "class=\"note failed\""), 2U) << "the first one stays as it was";
    EXPECT_TRUE(page.contains("id=\"m-" + between(fields, "answer=", '&') + "\""));
}

TEST_F(RetryRoutes, HtmxGetsTheNewAnswerAlone) {
    const std::string chat = new_chat("%5Berror%5D+%5Bslow%5D");
    const std::string fields = retry_fields(finished_page(chat));
    const auto first = post_form(chat + "/retry", fields, "HX-Request: true\r\n");
    EXPECT_EQ(first.status, 200);
    EXPECT_TRUE(first.body.starts_with("<article class=\"assistant\"")) << first.body;
    EXPECT_TRUE(first.body.contains("hx-sse:connect=\"" + chat + "/stream?from="));
    const auto second = post_form(chat + "/retry", fields, "HX-Request: true\r\n");
    EXPECT_EQ(between(second.body, "id=\"m-", '"'), between(first.body, "id=\"m-", '"'))
        << "clicked twice, asked once";
}

TEST_F(RetryRoutes, WhatCannotBeRetriedIsRefused) {
    const std::string chat = new_chat("hello");
    const std::string page = finished_page(chat);
    EXPECT_FALSE(page.contains("/retry")) << "a whole answer";
    EXPECT_EQ(post_form(chat + "/retry", "question=x&answer=y").status, 404);
    EXPECT_EQ(post_form(chat + "/retry", "").status, 404);
    const std::string fields =
        fmt::format("question={}&answer={}",
                    between(page, "data-message=\"", '"'),
                    between(page, "article class=\"assistant\" id=\"m-", '"'));
    EXPECT_EQ(post_form(chat + "/retry", fields).status, 400);
    EXPECT_EQ(post_form("/chat/" + std::string(32, '0') + "/retry", fields).status, 404);
    EXPECT_EQ(post_form(chat + "/retry", fields, "Origin: http://evil.example\r\n").status, 403);
}

TEST_F(RetryRoutes, DraftsAreTakenAndNothingIsKept) {
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

class DraftRoutes : public RetryRoutes {
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
