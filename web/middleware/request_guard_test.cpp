#include "web/middleware/request_guard.hpp"

#include <gtest/gtest.h>

#include "web/middleware/error_mapping.hpp"

namespace notso::web {
namespace {

ServerOptions bound_to(std::string host) {
    ServerOptions options;
    options.host = std::move(host);
    return options;
}

TEST(RequestGuard, KnowsItsHosts) {
    ServerOptions options = bound_to("127.0.0.1");
    options.allowed_hosts = {"laptop.local"};
    options.public_url = "https://chat.example/base";
    const RequestGuard guard(options);
    for (const char* host : {"localhost",
                             "LOCALHOST:3000",
                             "localhost.",
                             "127.0.0.1:1",
                             "[::1]:3000",
                             "laptop.local",
                             "chat.example:443"}) {
        EXPECT_FALSE(guard.check_host(host)) << host;
    }
    for (const char* host : {"evil.example",
                             "localhost.evil.example",
                             "127.0.0.1.evil.example",
                             "192.168.0.7",
                             "[::2]",
                             "xlocalhost"}) {
        EXPECT_EQ(guard.check_host(host).value().status, 403) << host;
    }
    for (const char* host : {"",
                             "a b",
                             "localhost:",
                             "localhost:x",
                             "localhost:123456",
                             "a/b",
                             "[::1",
                             "[::1]x",
                             "u@localhost",
                             "[zz]"}) {
        const auto refused = guard.check_host(host);
        if (std::string_view(host) == "localhost:") {
            EXPECT_FALSE(refused) << "an empty port is allowed by the grammar";
        } else {
            EXPECT_EQ(refused.value().status, 400) << host;
        }
    }
}

TEST(RequestGuard, AddressesAreFineWhenBoundToAll) {
    const RequestGuard guard(bound_to("0.0.0.0"));
    EXPECT_FALSE(guard.check_host("192.168.0.7:3000"));
    EXPECT_FALSE(guard.check_host("[fe80::1]:3000"));
    EXPECT_TRUE(guard.check_host("evil.example"));
    EXPECT_FALSE(RequestGuard(bound_to("192.168.0.7")).check_host("192.168.0.7"));
}

struct KeyCase {
    const char* authorization;
    bool accepted;
};

TEST(RequestGuard, WantsTheKey) {
    ServerOptions options = bound_to("0.0.0.0");
    options.api_key = "sesame";
    const RequestGuard guard(options);
    Route route{Method::kGet, "/v1/models", {}};
    route.api = true;
    for (const KeyCase& one : {KeyCase{"", false},
                               {"Bearer sesame", true},
                               {"bearer  sesame ", true},
                               {"Bearer Sesame", false},
                               {"Bearer sesam", false},
                               {"Bearer sesamee", false},
                               {"sesame", false},
                               {"Basic eDpzZXNhbWU=", true},  // x:sesame
                               {"Basic OnNlc2FtZQ==", true},  // :sesame
                               {"Basic c2VzYW1l", false},     // sesame
                               {"Basic ====", false},
                               {"Digest sesame", false}}) {
        Request request;
        if (*one.authorization != 0) request.headers["authorization"] = one.authorization;
        const auto refused = guard.check(request, route, false);
        EXPECT_EQ(!refused, one.accepted) << one.authorization;
        if (!refused) continue;
        EXPECT_EQ(refused->status, 401);
        EXPECT_EQ(refused->error.detail.find("sesame"), std::string::npos);
    }
    route.open = true;
    EXPECT_FALSE(guard.check(Request{}, route, false));
}

TEST(RequestGuard, JsonBodiesMustSaySo) {
    const RequestGuard guard(bound_to("127.0.0.1"));
    Route route{Method::kPost, "/v1/x", {}};
    Request request;
    request.method = Method::kPost;
    request.headers["content-type"] = "text/plain";
    EXPECT_FALSE(guard.check(request, route, true));
    route.api = true;
    EXPECT_EQ(guard.check(request, route, true).value().status, 415);
    EXPECT_FALSE(guard.check(request, route, false));
    request.headers["content-type"] = "application/json; charset=utf-8";
    EXPECT_FALSE(guard.check(request, route, true));
}

TEST(RequestGuard, OriginsOfWrites) {
    ServerOptions options = bound_to("127.0.0.1");
    options.public_url = "https://chat.example";
    const RequestGuard guard(options);
    const Route route{Method::kPost, "/x", {}};
    const auto allowed = [&](std::string origin, std::string host, std::string site = "") {
        Request request;
        request.method = Method::kPost;
        request.headers = {{"origin", origin}, {"host", host}};
        if (!site.empty()) request.headers["sec-fetch-site"] = site;
        return !guard.check(request, route, false);
    };
    EXPECT_TRUE(allowed("http://localhost:3000", "localhost:3000"));
    EXPECT_TRUE(allowed("https://localhost", "localhost:443"));
    EXPECT_TRUE(allowed("https://chat.example", "127.0.0.1:3000"));
    EXPECT_FALSE(allowed("http://localhost:3001", "localhost:3000"));
    EXPECT_FALSE(allowed("http://127.0.0.1:3000", "localhost:3000"));
    EXPECT_FALSE(allowed("null", "localhost"));
    EXPECT_FALSE(allowed("", "localhost"));
    EXPECT_FALSE(allowed("file://", "localhost"));
    EXPECT_TRUE(allowed("http://localhost", "localhost", "same-origin"));
    EXPECT_FALSE(allowed("http://localhost", "localhost", "same-site"));
}

TEST(RequestGuard, RefusesToListenOpenly) {
    ServerOptions options = bound_to("0.0.0.0");
    EXPECT_TRUE(check_binding(true, options));
    const auto refused = check_binding(false, options);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
    EXPECT_NE(refused.error().detail.find("--api-key"), std::string::npos);
    options.api_key = "k";
    EXPECT_TRUE(check_binding(false, options));
}

TEST(RequestGuard, BelievesOnlyTrustedProxies) {
    ServerOptions options = bound_to("127.0.0.1");
    options.trusted_proxies = {"10.0.0.1"};
    const RequestGuard guard(options);
    Request request;
    request.headers["x-forwarded-for"] = "1.1.1.1, 2.2.2.2";
    EXPECT_EQ(guard.client_address(request, "10.0.0.1"), "2.2.2.2");
    EXPECT_EQ(guard.client_address(request, "10.0.0.2"), "10.0.0.2");
    request.headers["x-forwarded-for"] = "nonsense\r\n";
    EXPECT_EQ(guard.client_address(request, "10.0.0.1"), "10.0.0.1");
}

TEST(ErrorMapping, ApiErrorsHaveTheShapeOfOpenAi) {
    const auto response = api_error(Error{ErrorCode::kContextLength, "9 tokens, 8 fit"});
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(
        response.body,
        R"({"error":{"message":"9 tokens, 8 fit","type":"invalid_request_error","param":null,)"
        R"("code":"context_length_exceeded"}})");
    EXPECT_EQ(api_error(Error{ErrorCode::kOverloaded, "full"}).headers[0].name, "Retry-After");
    EXPECT_EQ(http_status(ErrorCode::kNotFound), 404);
    EXPECT_NE(plain_error_page(404, {ErrorCode::kNotFound, "<b>"}).body.find("&lt;b&gt;"),
              std::string::npos);
}

}  // namespace
}  // namespace notso::web
