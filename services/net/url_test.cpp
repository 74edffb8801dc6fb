// Addresses: which are refused, what of them is shown, and where redirects may lead.
#include "services/net/url.hpp"

#include <gtest/gtest.h>

namespace notso::services {
namespace {

HttpUrl url(std::string_view text) {
    auto parsed = parse_http_url(text);
    EXPECT_TRUE(parsed.has_value()) << text;
    return parsed.value_or(HttpUrl{});
}

TEST(HttpUrlTest, TakesAnAddressApart) {
    EXPECT_EQ(url("https://Example.ORG:8443/v1?key=s3cret#part"),
              (HttpUrl{"https", "example.org", 8443, "/v1", "key=s3cret"}));
    EXPECT_EQ(url("http://example.org"), (HttpUrl{"http", "example.org", 80, "/", ""}));
    EXPECT_EQ(url("http://[::1]:3000/v1").host, "[::1]");
}

TEST(HttpUrlTest, ShowsNoQueryAndNoUsualPort) {
    const HttpUrl shown = url("https://example.org/v1?key=s3cret");
    EXPECT_EQ(shown.label(), "https://example.org/v1");
    EXPECT_EQ(shown.text(), "https://example.org/v1?key=s3cret");
    EXPECT_EQ(shown.host_label(), "example.org");
    EXPECT_EQ(url("https://example.org:80/").host_label(), "example.org:80");
}

TEST(HttpUrlTest, RefusesWhatIsNoPlainWebAddress) {
    for (const std::string_view text : {"",
                                        "file:///etc/passwd",
                                        "ftp://example.org/",
                                        "gopher://example.org/",
                                        "example.org/v1",
                                        "//example.org/v1",
                                        "http://",
                                        "https://u:p4ss@example.org/",
                                        "https://u@example.org/",
                                        "http://exa mple.org/",
                                        "http://example.org/\r\nX: y",
                                        "http://example.org:0/",
                                        "http://example.org:99999/",
                                        "javascript:alert(1)"}) {
        const auto refused = parse_http_url(text);
        ASSERT_FALSE(refused.has_value()) << text;
        EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument) << text;
        EXPECT_FALSE(refused.error().detail.contains("p4ss"));
    }
    EXPECT_FALSE(parse_http_url(std::string_view("http://a\0b/", 11)).has_value());
    EXPECT_FALSE(parse_http_url("http://a/" + std::string(5000, 'x')).has_value());
}

TEST(HttpUrlTest, KnowsThisMachine) {
    for (const std::string_view text :
         {"http://localhost:1/", "http://127.0.0.1/", "http://127.8.9.1/", "http://[::1]/"})
        EXPECT_TRUE(url(text).is_loopback()) << text;
    for (const std::string_view text :
         {"http://127.example.org/", "http://localhost.example.org/", "http://10.0.0.1/"})
        EXPECT_FALSE(url(text).is_loopback()) << text;
}

TEST(HttpUrlTest, ResolvesRedirects) {
    const HttpUrl base = url("https://example.org/a/b?q=1");
    EXPECT_EQ(resolve_http_url(base, "/c")->text(), "https://example.org/c");
    EXPECT_EQ(resolve_http_url(base, "c")->text(), "https://example.org/a/c");
    EXPECT_EQ(resolve_http_url(base, "//other.org/x")->text(), "https://other.org/x");
    EXPECT_FALSE(resolve_http_url(base, "file:///etc/passwd").has_value());
    EXPECT_FALSE(resolve_http_url(base, "http://u:p@other.org/").has_value());
    EXPECT_FALSE(resolve_http_url(base, "http://example.org/").has_value());
    EXPECT_EQ(resolve_http_url(url("http://example.org/"), "https://example.org/x")->scheme,
              "https");
    EXPECT_TRUE(base.same_origin(*resolve_http_url(base, "/c")));
    EXPECT_FALSE(base.same_origin(*resolve_http_url(base, "https://example.org:444/")));
}

TEST(HttpUrlTest, GoesBelowItsPath) {
    EXPECT_EQ(url("http://h/v1/").below("/models").text(), "http://h/v1/models");
    EXPECT_EQ(url("http://h?x=1").below("/models").text(), "http://h/models");
}

}  // namespace
}  // namespace notso::services
