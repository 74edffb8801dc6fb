// web_fetch: where it does not go (everywhere but the public web), and what it makes of pages.
#include "services/tools/web_fetch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/net/raw_server.hpp"
#include "services/tools/web/html_text.hpp"

namespace notso::services {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Names of tests; each answer is given once, then the next.
class FakeResolver final : public Resolver {
  public:
    using Answers = std::map<std::string, std::vector<std::vector<const char*>>>;
    explicit FakeResolver(Answers answers) : answers_(std::move(answers)) {}

    Result<std::vector<IpAddress>> resolve(const std::string& host,
                                           std::stop_token,
                                           SteadyClock::time_point) override {
        const std::lock_guard lock(mutex_);
        auto& asked = asked_[host];
        const auto found = answers_.find(host);
        if (found == answers_.end()) return fail(ErrorCode::kUnavailable, "no host named {}", host);
        const auto& texts = found->second[std::min(asked++, found->second.size() - 1)];
        std::vector<IpAddress> out;
        for (const char* text : texts) out.push_back(*IpAddress::parse(text));
        return out;
    }
    std::size_t asked(const std::string& host) {
        const std::lock_guard lock(mutex_);
        return asked_[host];
    }

  private:
    std::mutex mutex_;
    const Answers answers_;
    std::map<std::string, std::size_t> asked_;
};

ToolOutput fetched(const WebFetchPolicy& policy, const std::string& url, int offset = 0) {
    const ToolBox box({make_web_fetch(policy)});
    const boost::json::object arguments{{"url", url}, {"offset", offset}};
    return box.run({"web_fetch", boost::json::serialize(arguments)}, {});
}

/// A "public" server: one that tests reach over loopback, by a policy that calls it public.
struct PublicServer {
    explicit PublicServer(RawServer::Script script) : server(std::move(script)) {
        policy.may_reach = [](const IpAddress& a) {
            return a.is_public() || a.text() == "127.0.0.1";
        };
        policy.ports.push_back(server.port());
        policy.resolver = std::make_shared<FakeResolver>(
            FakeResolver::Answers{{"public.example", {{"127.0.0.1"}}},
                                  {"private.example", {{"10.0.0.1"}}},
                                  {"half.example", {{"127.0.0.1", "192.168.1.1"}}},
                                  {"rebinds.example", {{"127.0.0.1"}, {"169.254.169.254"}}}});
    }
    std::string url(std::string_view path = "/", std::string_view host = "public.example") const {
        return fmt::format("http://{}:{}{}", host, server.port(), path);
    }
    RawServer server;
    WebFetchPolicy policy;
};

std::string page(std::string_view fields, std::string_view body) {
    return fmt::format(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{}\r\n{}", body.size(), fields, body);
}

RawServer::Script says(std::string bytes) {
    return [bytes = std::move(bytes)](RawPeer& peer, const std::string&) { peer.send(bytes); };
}

const char* const kPrivateHosts[] = {"127.0.0.1",
                                     "127.1",
                                     "127.0.1",
                                     "2130706433",
                                     "0x7f000001",
                                     "0x7f.1",
                                     "0177.0.0.1",
                                     "017700000001",
                                     "0",
                                     "0.0.0.0",
                                     "127.0.0.1.",
                                     "localhost",
                                     "LOCALHOST",
                                     "localhost.",
                                     "a.localhost",
                                     "printer",
                                     "nas.local",
                                     "x.internal",
                                     "x.lan",
                                     "10.0.0.1",
                                     "172.16.0.1",
                                     "192.168.1.1",
                                     "169.254.169.254",
                                     "100.64.0.1",
                                     "192.0.2.1",
                                     "198.18.0.1",
                                     "224.0.0.1",
                                     "240.0.0.1",
                                     "255.255.255.255",
                                     "[::1]",
                                     "[::]",
                                     "[::ffff:127.0.0.1]",
                                     "[::ffff:7f00:1]",
                                     "[::127.0.0.1]",
                                     "[64:ff9b::7f00:1]",
                                     "[2002:7f00:1::]",
                                     "[fc00::1]",
                                     "[fd00::1]",
                                     "[fe80::1]",
                                     "[fe80::1%25lo]",
                                     "[ff02::1]",
                                     "[2001:db8::1]",
                                     "[2001::1]",
                                     "evil.example",
                                     "evil.example.",
                                     "EVIL.example",
                                     "evil6.example",
                                     "mapped.example",
                                     "half.example",
                                     "none.example",
                                     "user:pass@evil.example",
                                     "public@127.0.0.1",
                                     "127.0.0.1%00.example",
                                     "\\u0031\\u0032\\u0037.0.0.1",
                                     "①②⑦.⓪.⓪.①",
                                     "127。0。0。1"};
const char* const kBadAddresses[] = {"file:///etc/passwd",
                                     "ftp://evil.example/",
                                     "gopher://evil.example:80/_x",
                                     "dict://evil.example:80/x",
                                     "//evil.example/",
                                     "evil.example",
                                     "",
                                     "http://",
                                     "http:///etc/passwd",
                                     "http://public.example:22/",
                                     "http://public.example:6379/",
                                     "http://public.example:99999/",
                                     "javascript:alert(1)",
                                     "data:text/plain,hi",
                                     "http://a b/",
                                     "http://public.example\r\nX: y/"};

TEST(WebFetchTest, NeverReachesPrivateAddresses) {
    // Would answer, if anything came: the list uses its port, as the policy allows.
    PublicServer local(says(page("", "secret")));
    WebFetchPolicy policy;
    policy.ports.push_back(local.server.port());
    policy.resolver = std::make_shared<FakeResolver>(
        FakeResolver::Answers{{"evil.example", {{"127.0.0.1"}}},
                              {"evil6.example", {{"::1"}}},
                              {"mapped.example", {{"::ffff:127.0.0.1"}}},
                              {"half.example", {{"93.184.215.14", "127.0.0.1"}}},
                              {"none.example", {{}}}});
    std::size_t n = 0;
    for (const char* host : kPrivateHosts) {
        for (const char* path : {"/", "/#@public.example"}) {
            const auto output =
                fetched(policy, fmt::format("http://{}:{}{}", host, local.server.port(), path));
            EXPECT_TRUE(output.is_error) << host << ": " << output.text;
            ++n;
        }
    }
    EXPECT_GT(n, 100U);
    for (const char* url : kBadAddresses) EXPECT_TRUE(fetched(policy, url).is_error) << url;
    EXPECT_TRUE(local.server.requests().empty());
}

TEST(WebFetchTest, RedirectsAreCheckedAgain) {
    for (const char* to : {"http://10.0.0.1/",
                           "http://127.0.0.2/",
                           "http://private.example/",
                           "http://[::1]/",
                           "http://2130706434/",
                           "file:///etc/passwd",
                           "http://localhost/",
                           "http://half.example/",
                           "http://user:pass@public.example/",
                           "http://public.example:22/",
                           "//private.example/"}) {
        PublicServer server(says(fmt::format(
            "HTTP/1.1 302 Found\r\nContent-Length: 6\r\nLocation: {}\r\n\r\nsecret", to)));
        const auto output = fetched(server.policy, server.url());
        EXPECT_TRUE(output.is_error) << to << ": " << output.text;
        EXPECT_THAT(output.text, Not(HasSubstr("secret")));
        EXPECT_EQ(server.server.requests().size(), 1U) << to;
    }
}

TEST(WebFetchTest, FollowsGoodRedirectsAFewTimes) {
    PublicServer server([](RawPeer& peer, const std::string& request) {
        peer.send(request.starts_with("GET /start ")
                      ? "HTTP/1.1 301 Moved\r\nLocation: /end?x=1\r\nContent-Length: 0\r\n\r\n"
                      : page("Content-Type: text/plain\r\n", "arrived"));
    });
    EXPECT_EQ(fetched(server.policy, server.url("/start")).text, "arrived");
    PublicServer loop(says("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_THAT(fetched(loop.policy, loop.url()).text, HasSubstr("more than 5 times"));
    EXPECT_EQ(loop.server.requests().size(), 6U);
}

TEST(WebFetchTest, ANameIsResolvedOncePerRequest) {
    // The second answer would lead elsewhere: it must not be asked for by the one who connects.
    PublicServer server(says(page("Content-Type: text/plain\r\n", "hello")));
    auto resolver = std::static_pointer_cast<FakeResolver>(server.policy.resolver);
    EXPECT_EQ(fetched(server.policy, server.url("/", "rebinds.example")).text, "hello");
    EXPECT_EQ(resolver->asked("rebinds.example"), 1U);
    // A redirect to the same name is a new request, with a new check.
    const auto second = fetched(server.policy, server.url("/", "rebinds.example"));
    EXPECT_TRUE(second.is_error);
    EXPECT_EQ(server.server.requests().size(), 1U);
}

TEST(WebFetchTest, SendsNothingOfOurs) {
    ::setenv("http_proxy", "http://127.0.0.1:1", 1);
    PublicServer server(says(page("Set-Cookie: a=b\r\nContent-Type: text/plain\r\n", "x")));
    EXPECT_FALSE(fetched(server.policy, server.url()).is_error) << "no proxy from the environment";
    ::unsetenv("http_proxy");
    fetched(server.policy, server.url());
    const auto requests = server.server.requests();
    ASSERT_EQ(requests.size(), 2U);
    for (const char* field : {"Cookie", "Authorization", "Referer"})
        EXPECT_THAT(requests.at(1), Not(HasSubstr(field)));
    EXPECT_THAT(requests.at(1), HasSubstr("Host: public.example:"));
}

TEST(WebFetchTest, ReadsTextOnlyAndBounded) {
    const auto get = [](std::string fields, std::string body) {
        PublicServer server(says(page(fields, body)));
        server.policy.max_body_bytes = 100'000;
        return fetched(server.policy, server.url());
    };
    EXPECT_EQ(get("Content-Type: application/json\r\n", "{\"a\":1}").text, "{\"a\":1}");
    EXPECT_THAT(get("Content-Type: image/png\r\n", "x").text,
                HasSubstr("type image/png, not text"));
    EXPECT_THAT(get("Content-Type: text/plain\r\nContent-Encoding: gzip\r\n", "x").text,
                HasSubstr("compressed"));
    EXPECT_THAT(get("Content-Type: text/plain\r\n", std::string(200'000, 'x')).text,
                HasSubstr("more than 100000 bytes"));
    EXPECT_EQ(get("Content-Type: text/plain; charset=ISO-8859-1\r\n", "gr\xfc\xdf").text, "grüß");
    EXPECT_EQ(get("Content-Type: text/plain\r\n", "a\xff").text, "a\uFFFD");
    PublicServer missing(says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_THAT(fetched(missing.policy, missing.url()).text, HasSubstr("status 404"));
}

TEST(WebFetchTest, GivesLongPagesInParts) {
    std::string text;
    for (int i = 0; text.size() < 30'000; ++i) text += fmt::format("line {} äöü\n", i);
    PublicServer server(says(page("Content-Type: text/plain\r\n", text)));
    std::string all;
    int offset = 0;
    for (int part = 0; part < 4; ++part) {
        const std::string got = fetched(server.policy, server.url(), offset).text;
        const auto note = got.find("\n[the page goes on");
        all += got.substr(0, note);
        if (note == std::string::npos) break;
        offset = std::stoi(got.substr(got.find("next offset ") + 12));
    }
    EXPECT_EQ(all, text);
}

TEST(WebFetchTest, AsksFirstAndSaysThatTextLeaves) {
    const ToolPtr tool = make_web_fetch();
    EXPECT_EQ(tool->info().policy, ToolPolicy::kAsksFirst);
    EXPECT_FALSE(tool->info().sends_to.empty());
}

TEST(HtmlTextTest, KeepsWhatPeopleRead) {
    const PageText page = html_text(
        "<!DOCTYPE html><html><head><title>A &amp; B</title><style>p{}</style><script>if (a<b) "
        "x();</script></head><body><h1>Title</h1><p>One\n  two <b>three</b>&nbsp;&#8364; "
        "&lt;tag&gt; "
        "&unknown; 1 < 2</p><ul><li>first<li>second</ul><!-- <p>no</p> --><img alt=\"a>b\">"
        "<table><tr><td>1</td><td>2</td></tr></table></body></html>");
    EXPECT_EQ(page.title, "A & B");
    EXPECT_EQ(page.text, "Title\nOne two three € <tag> &unknown; 1 < 2\n- first\n- second\n1 2");
}

TEST(HtmlTextTest, SurvivesAnything) {
    for (const char* html : {"",
                             "<",
                             "</",
                             "<!--",
                             "<!",
                             "<script>",
                             "<a href=\"",
                             "&",
                             "&#",
                             "&#x110000;",
                             "&#xd800;",
                             "<p",
                             "<<<>>>",
                             "</script>",
                             "&;&#;&#x;"})
        html_text(html);
    std::string many;
    for (int i = 0; i < 200'000; ++i) many += "<script><!--<a b='";
    EXPECT_EQ(html_text(many).text, "");
    EXPECT_EQ(html_text(std::string(1'000'000, '&')).text.size(), 1'000'000U);
    EXPECT_EQ(html_text(std::string(1'000'000, '<')).text.size(), 1'000'000U);
}

}  // namespace
}  // namespace notso::services
