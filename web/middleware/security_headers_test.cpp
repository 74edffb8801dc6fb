#include "web/middleware/security_headers.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "web/http/response_writer.hpp"

namespace notso::web {
namespace {

std::string value_of(const Response& response, std::string_view name) {
    const auto found = std::ranges::find(response.headers, name, &Header::name);
    return found == response.headers.end() ? "" : found->value;
}

TEST(SecurityHeaders, TheWholePolicy) {
    Response response;
    add_security_headers(response);
    EXPECT_EQ(value_of(response, "Content-Security-Policy"),
              "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
              "connect-src 'self'; "
              "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
              "frame-ancestors 'none'");
    EXPECT_EQ(value_of(response, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(value_of(response, "Cross-Origin-Opener-Policy"), "same-origin");
    EXPECT_EQ(value_of(response, "Cross-Origin-Resource-Policy"), "same-origin");
    EXPECT_EQ(value_of(response, "Referrer-Policy"), "no-referrer");
    EXPECT_EQ(value_of(response, "Cache-Control"), "no-store");
    EXPECT_NE(value_of(response, "Permissions-Policy"), "");
}

TEST(SecurityHeaders, AHandlerMayCacheButNeverTwice) {
    Response response;
    response.headers.push_back({"cache-control", "max-age=1"});
    add_security_headers(response);
    EXPECT_EQ(value_of(response, "Cache-Control"), "");
    EXPECT_EQ(value_of(response, "cache-control"), "max-age=1");
}

TEST(SecurityHeaders, NoHeaderSplitsAResponse) {
    Response response;
    response.content_type = "text/html\r\nX: y";
    response.headers = {
        {"A", "b\r\nSet-Cookie: c"}, {"D\n", "e"}, {"F: g", "h"}, {"", "i"}, {"Good", "one"}};
    const std::string head = serialize_head(response, {});
    EXPECT_EQ(head.find("Set-Cookie"), std::string::npos);
    EXPECT_EQ(head.find("X: y"), std::string::npos);
    EXPECT_EQ(head.find("F: g"), std::string::npos);
    EXPECT_NE(head.find("Good: one\r\n"), std::string::npos);
    EXPECT_EQ(head.find("\r\n\r\n"), head.size() - 4);
}

}  // namespace
}  // namespace notso::web
