#include "web/http/url.hpp"

#include <gtest/gtest.h>

#include "web/http/router.hpp"

namespace notso::web {
namespace {

TEST(Url, DecodesStrictly) {
    EXPECT_EQ(decode_path("/a%20b+c%C3%A4"), "/a b+c\xC3\xA4");
    for (const char* bad :
         {"%", "%2", "%2g", "%00", "%0a", "%0D", "%7f", "%ff", "%c3", "%C0%AF", "%+1", "% 1"}) {
        EXPECT_FALSE(decode_path(bad)) << bad;
    }
}

TEST(Url, SplitsTargets) {
    EXPECT_EQ(split_target("/a?b?c")->path, "/a");
    EXPECT_EQ(split_target("/a?b?c")->query, "b?c");
    EXPECT_EQ(split_target("http://h:1/a?b")->authority, "h:1");
    EXPECT_EQ(split_target("http://h:1/a?b")->path, "/a");
    EXPECT_EQ(split_target("HTTP://h?b")->path, "/");
    EXPECT_EQ(split_target("HTTP://h?b")->query, "b");
    EXPECT_EQ(split_target("/a?u=http://x")->path, "/a");
    for (const char* bad : {"*", "a", "localhost:80", "ftp://h/", "http:///a", ""}) {
        EXPECT_FALSE(split_target(bad)) << bad;
    }
}

TEST(Url, ParsesForms) {
    const auto form = parse_form("a=1&b=x+y%26&a=2&&c&=e&d=%0A");
    ASSERT_TRUE(form);
    EXPECT_EQ(form->at("a"), "1");
    EXPECT_EQ(form->at("b"), "x y&");
    EXPECT_EQ(form->at("c"), "");
    EXPECT_EQ(form->at("d"), "\n");
    EXPECT_FALSE(parse_form("a=%zz"));
    EXPECT_FALSE(parse_form("a=%00"));
    std::string many;
    for (int i = 0; i < 1000; ++i) many += fmt::format("f{}=1&", i);
    EXPECT_TRUE(parse_form(many));
    EXPECT_FALSE(parse_form(many + "more=1"));
}

TEST(Url, TokensAndTypes) {
    EXPECT_TRUE(has_token("keep-alive, Close", "close"));
    EXPECT_FALSE(has_token("closed, x-close", "close"));
    EXPECT_EQ(media_type("Application/JSON ; charset=utf-8"), "application/json");
}

TEST(Router, LiteralsWinAndSegmentsStayWhole) {
    std::vector<Route> routes;
    for (const char* pattern : {"/chat/{id}", "/chat/new", "/chat/{id}/messages"}) {
        routes.push_back({Method::kGet, pattern, {}});
    }
    routes.push_back({Method::kPost, "/chat/new", {}});
    const Router router(std::move(routes));
    EXPECT_EQ(router.find(Method::kGet, "/chat/new")->route->pattern, "/chat/new");
    EXPECT_EQ(router.find(Method::kGet, "/chat/a%2Fb")->params.at("id"), "a/b");
    EXPECT_EQ(router.find(Method::kHead, "/chat/1/messages")->route->pattern,
              "/chat/{id}/messages");
    EXPECT_EQ(router.find(Method::kPost, "/chat/new")->route->method, Method::kPost);
    for (const char* path : {"/", "/chat", "/chat/", "/chat/1/", "/chat//messages", "//chat/1"}) {
        EXPECT_EQ(router.find(Method::kGet, path)->route, nullptr) << path;
    }
    EXPECT_EQ(router.find(Method::kDelete, "/chat/new")->allowed.size(), 3U);
    EXPECT_FALSE(router.find(Method::kGet, "/chat/%00"));
}

}  // namespace
}  // namespace notso::web
