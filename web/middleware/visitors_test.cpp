#include "web/middleware/visitors.hpp"

#include <gtest/gtest.h>

#include "web/routes/client_user.hpp"

namespace notso::web {
namespace {

constexpr const char* kCookie = "notso-space=0123456789abcdef0123456789abcdef";

Request request_with(std::string cookies) {
    Request request;
    if (!cookies.empty()) request.headers["cookie"] = std::move(cookies);
    return request;
}

Route page(std::string pattern = "/chat/{id}") {
    return {Method::kGet, std::move(pattern), nullptr};
}

/// What the response sets; empty: nothing.
std::string identified(const Visitors& visitors, Request& request, const Route& route) {
    const auto header = visitors.identify(request, route);
    return header ? header->value : std::string();
}

Visitors spaces(std::string public_url = {}) {
    ServerOptions options;
    options.spaces = true;
    options.public_url = std::move(public_url);
    return Visitors(options);
}

TEST(Visitors, AreOnePersonWithoutSpaces) {
    const Visitors visitors{ServerOptions{}};
    Request request = request_with(kCookie);
    EXPECT_EQ(identified(visitors, request, page()), "");
    EXPECT_EQ(request.owner, services::local_owner());
    EXPECT_FALSE(request.owner_is_one_person);
}

TEST(Visitors, ABrowserGetsASpaceAndKeepsIt) {
    const Visitors visitors = spaces();
    Request first = request_with("");
    const std::string set = identified(visitors, first, page());
    ASSERT_TRUE(set.starts_with("notso-space="));
    EXPECT_TRUE(set.contains("; Path=/; Max-Age="));
    EXPECT_TRUE(set.contains("; HttpOnly; SameSite=Lax"));
    EXPECT_FALSE(set.contains("Secure")) << "plain http would drop it";
    EXPECT_TRUE(first.owner_is_one_person);

    const std::string pair = set.substr(0, set.find(';'));
    Request again = request_with("theme=dark; " + pair + "; other=1");
    EXPECT_EQ(identified(visitors, again, page()), "") << "nothing new";
    EXPECT_EQ(again.owner, first.owner);
    EXPECT_FALSE(first.owner.value.contains(pair.substr(12))) << "the store has a hash of it";
    EXPECT_TRUE(identified(visitors, again, page("/")).starts_with(pair)) << "made young again";

    Request other = request_with("");
    identified(visitors, other, page());
    EXPECT_NE(other.owner, first.owner);
}

TEST(Visitors, WhatIsNoSpaceIsReplaced) {
    for (const char* bad : {"notso-space=",
                            "notso-space=0123",
                            "xnotso-space=0123456789abcdef",
                            "notso-space=0123456789ABCDEF0123456789abcdef",
                            "notso-space",
                            ";;;=;",
                            "notso-space=local",
                            "notso-space=../../../../../../../../../etc/passwd"}) {
        Request request = request_with(bad);
        EXPECT_TRUE(identified(spaces(), request, page()).starts_with("notso-space=")) << bad;
        EXPECT_NE(request.owner, services::local_owner()) << bad;
    }
}

TEST(Visitors, OverHttpsTheCookieIsBoundToTheHost) {
    const Visitors visitors = spaces("https://chat.example");
    Request request = request_with(kCookie);
    const std::string set = identified(visitors, request, page());
    EXPECT_TRUE(set.starts_with("__Host-notso-space=")) << "the other name is not believed";
    EXPECT_TRUE(set.ends_with("; Secure"));
}

TEST(Visitors, ProgramsOfOneKeyShareASpaceAndGetNoCookie) {
    Route api = page("/api/context");
    api.api = true;
    Request program = request_with("");
    EXPECT_EQ(identified(spaces(), program, api), "");
    EXPECT_NE(program.owner, services::local_owner());
    Request next = request_with("");
    identified(spaces(), next, api);
    EXPECT_EQ(next.owner, program.owner);
    ServerOptions options;
    options.spaces = true;
    options.api_key = "k";
    Request keyed = request_with("");
    Visitors(options).identify(keyed, api);
    EXPECT_NE(keyed.owner, program.owner);
    Request browser = request_with(kCookie);
    Request on_page = request_with(kCookie);
    identified(spaces(), browser, api);
    identified(spaces(), on_page, page());
    EXPECT_EQ(browser.owner, on_page.owner) << "a script of the page is its browser";
}

TEST(Visitors, TakeTurnsByPersonWhereverTheyAre) {
    Request here = request_with(kCookie);
    here.remote_address = "10.0.0.1";
    Request there = request_with(kCookie);
    there.remote_address = "10.0.0.2";
    identified(spaces(), here, page());
    identified(spaces(), there, page());
    EXPECT_EQ(client_user(here), client_user(there));
    const Visitors together{ServerOptions{}};
    together.identify(here, page());
    together.identify(there, page());
    EXPECT_NE(client_user(here), client_user(there)) << "as many as there are addresses";
}

}  // namespace
}  // namespace notso::web
