// Accounts: signing in and out, what is closed without, what two people see of each other.
#include "services/accounts/password.hpp"
#include "services/session/sqlite_store.hpp"
#include "services/session/temp_directory.hpp"
#include "web/routes/app_fixture.hpp"

namespace notso::web {
namespace {

class AccountRoutes : public AppFixture {
  protected:
    void SetUp() override { start_with_accounts({}); }
    void start_with_accounts(ServerOptions options) {
        const std::string hash = *services::hash_password("right password");
        accounts_ = &disk_->accounts();
        for (const char* name : {"anna", "bert"})
            EXPECT_TRUE(accounts_->add_account({name, {std::string("o-") + name}, hash, 1}));
        start_with(services::make_stub_backend({}), std::move(options));
    }
    RawResponse log_in(std::string_view name,
                       std::string_view password = "right+password",
                       std::string_view next = "") {
        return post_form("/login",
                         fmt::format("name={}&password={}&next={}", name, password, next));
    }
    /// A Cookie header that is signed in.
    std::string cookie_of(const RawResponse& response) {
        const std::string set(response.header("set-cookie"));
        return "Cookie: " + set.substr(0, set.find(';')) + "\r\n";
    }
    RawResponse get_as(std::string_view who, std::string_view path) {
        return RawClient(server_->port()).ask(get_request(path, who));
    }

    const services::TempDirectory temp_;
    std::unique_ptr<services::SqliteStore> disk_ =
        *services::SqliteStore::open(temp_.path() / "test.db");
};

TEST_F(AccountRoutes, NobodyGetsInWithoutSigningIn) {
    int closed = 0;
    for (const Route& route : make_routes(*context_)) {
        SCOPED_TRACE(route.pattern);
        std::string path = route.pattern;
        for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{'))
            path.replace(at, path.find('}') + 1 - at, "x");
        const auto response = route.method == Method::kGet ? get(path)
                              : route.api                  ? post(path, "{}")
                                                           : post_form(path, "");
        if (route.open) continue;
        ++closed;
        if (route.api) {
            EXPECT_EQ(response.status, 401);
        } else {
            EXPECT_EQ(response.status, 303);
            EXPECT_TRUE(response.header("location").starts_with("/login"));
        }
    }
    EXPECT_GE(closed, 40);
    EXPECT_EQ(get("/login").status, 200);
    EXPECT_EQ(get("/livez").status, 200);
    EXPECT_EQ(get("/chat/x").header("location"), "/login?next=%2Fchat%2Fx");
    const auto htmx = get_as("HX-Request: true\r\n", "/search");
    EXPECT_EQ(htmx.status, 401);
    EXPECT_EQ(htmx.header("hx-redirect"), "/login") << "not a form in the middle of the page";
}

TEST_F(AccountRoutes, SignsInAndGoesOnWhereOneWantedTo) {
    const auto in = log_in("Anna", "right+password", "%2Fmodels");
    EXPECT_EQ(in.status, 303);
    EXPECT_EQ(in.header("location"), "/models");
    const std::string set(in.header("set-cookie"));
    EXPECT_TRUE(set.starts_with("notso-login="));
    EXPECT_TRUE(set.contains("; HttpOnly; SameSite=Lax"));
    const std::string anna = cookie_of(in);
    const auto page = get_as(anna, "/");
    EXPECT_EQ(page.status, 200);
    EXPECT_TRUE(page.body.contains("href=\"/account\"")) << "one sees who one is";
    EXPECT_TRUE(page.body.contains(">anna</a>"));
    EXPECT_EQ(get_as(anna, "/login").status, 303) << "one is in already";
    for (const char* bad : {"%2F%2Fevil.example",
                            "https%3A%2F%2Fevil.example",
                            "%2F%5Cevil.example",
                            "",
                            "models",
                            "%2Fa%09b"})
        EXPECT_EQ(log_in("anna", "right+password", bad).header("location"), "/") << bad;
}

TEST_F(AccountRoutes, AWrongPasswordSaysNothingMore) {
    const auto wrong = log_in("anna", "wrong+password");
    const auto nobody = log_in("nobody", "wrong+password");
    EXPECT_EQ(wrong.status, 403);
    EXPECT_EQ(nobody.status, 403);
    EXPECT_TRUE(wrong.body.contains("The name or the password is wrong."));
    EXPECT_TRUE(nobody.body.contains("The name or the password is wrong."));
    EXPECT_TRUE(wrong.header("set-cookie").empty());
    EXPECT_FALSE(wrong.body.contains("wrong password\""));
    const std::string shown = log_in("%22%3E%3Cscript%3E", "x").body;
    EXPECT_TRUE(shown.contains("&gt;&lt;script&gt;")) << "what was typed, as text";
    EXPECT_FALSE(shown.contains("\"><script>"));
    EXPECT_EQ(post_form("/login", "name=anna&password=x", "Origin: http://evil.example\r\n").status,
              403);
}

TEST_F(AccountRoutes, TooManyAttemptsHaveToWait) {
    for (int i = 0; i < services::LoginDesk::kMaxPerAddress; ++i) log_in("anna", "wrong+password");
    const auto refused = log_in("anna");
    EXPECT_EQ(refused.status, 429);
    EXPECT_FALSE(refused.header("retry-after").empty());
    EXPECT_TRUE(refused.body.contains("too many attempts")) << "a page that says so";
}

TEST_F(AccountRoutes, EachSeesTheirOwnOnEveryDevice) {
    const std::string anna = cookie_of(log_in("anna"));
    const std::string phone = cookie_of(log_in("anna"));
    const std::string bert = cookie_of(log_in("bert"));
    const auto sent = post_form("/chat", "message=Xylophon", anna);
    const std::string chat(sent.header("location").substr(0, 38));
    EXPECT_EQ(get_as(anna, chat).status, 200);
    EXPECT_EQ(get_as(phone, chat).status, 200);
    EXPECT_EQ(get_as(bert, chat).status, 404);
    EXPECT_TRUE(get_as(phone, "/").body.contains(">Xylophon<"));
    EXPECT_FALSE(get_as(bert, "/").body.contains(">Xylophon<"));
    EXPECT_EQ(get_as(bert, "/api/export-chat?conversation=" + chat.substr(6)).status, 404);
    EXPECT_EQ(get_as(anna, "/api/export-chat?conversation=" + chat.substr(6)).status, 200);
}

TEST_F(AccountRoutes, SigningOutEndsTheCookie) {
    const std::string anna = cookie_of(log_in("anna"));
    const std::string phone = cookie_of(log_in("anna"));
    const auto out = post_form("/logout", "", anna);
    EXPECT_EQ(out.header("location"), "/login");
    EXPECT_TRUE(out.header("set-cookie").contains("Max-Age=0"));
    EXPECT_EQ(get_as(anna, "/").status, 303) << "whoever kept the cookie";
    EXPECT_EQ(get_as(phone, "/").status, 200);
    EXPECT_TRUE(get_as(phone, "/account").body.contains("1 login"));
    post_form("/account/sign-out-everywhere", "", phone);
    EXPECT_EQ(get_as(phone, "/").status, 303);
}

TEST_F(AccountRoutes, ThePasswordIsChangedOnThePage) {
    const std::string anna = cookie_of(log_in("anna"));
    const std::string phone = cookie_of(log_in("anna"));
    EXPECT_EQ(post_form("/account/password", "old=wrong&new=another+one", anna).status, 403);
    const auto shorter = post_form("/account/password", "old=right+password&new=short", anna);
    EXPECT_EQ(shorter.status, 400);
    EXPECT_TRUE(shorter.body.contains("A password has 8 to 1024 bytes"));
    const auto changed = post_form("/account/password", "old=right+password&new=another+one", anna);
    EXPECT_EQ(changed.header("location"), "/account?changed=1");
    const std::string fresh = cookie_of(changed);
    EXPECT_TRUE(get_as(fresh, "/account?changed=1").body.contains("The password is changed."));
    EXPECT_EQ(get_as(anna, "/").status, 303);
    EXPECT_EQ(get_as(phone, "/").status, 303);
    EXPECT_EQ(log_in("anna").status, 403);
    EXPECT_EQ(log_in("anna", "another+one").status, 303);
}

class AccountsAndKey : public AccountRoutes {
  protected:
    void SetUp() override {
        ServerOptions options;
        options.api_key = "secret-key";
        options.public_url = "https://localhost";
        start_with_accounts(std::move(options));
    }
};

TEST_F(AccountsAndKey, ProgramsHaveTheKeyAndPeopleTheirPassword) {
    constexpr std::string_view kKey = "Authorization: Bearer secret-key\r\n";
    EXPECT_EQ(get_as(kKey, "/api/status").status, 200);
    EXPECT_EQ(get_as(kKey, "/v1/models").status, 200);
    EXPECT_EQ(get_as("Authorization: Bearer wrong\r\n", "/v1/models").status, 401);
    EXPECT_EQ(get_as(kKey, "/").status, 303) << "a program's key is nobody's account";
    const auto in = log_in("anna");
    const std::string set(in.header("set-cookie"));
    EXPECT_TRUE(set.starts_with("__Host-notso-login="));
    EXPECT_TRUE(set.ends_with("; Secure"));
    EXPECT_EQ(get_as(cookie_of(in), "/").status, 200);
    EXPECT_EQ(get_as(cookie_of(in), "/v1/models").status, 200) << "a script of the page";
    const std::string unbound = "Cookie: notso-login=" + set.substr(19, 64) + "\r\n";
    EXPECT_EQ(get_as(unbound, "/").status, 303) << "another name could have been set by anybody";
}

}  // namespace
}  // namespace notso::web
