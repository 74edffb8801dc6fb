#include "web/routes/account.hpp"

#include "web/middleware/cookies.hpp"
#include "web/middleware/error_mapping.hpp"
#include "web/pages/format.hpp"
#include "web/routes/chat_forms.hpp"

namespace notso::web {
namespace {

using services::LoginDesk;

constexpr int kTooManyRequests = 429;
constexpr const char* kAccountPath = "/account";

/// Null where nobody has an account.
LoginDesk* desk_of(const Pages& pages) {
    LoginDesk* desk = pages.context().logins;
    return desk != nullptr && desk->required() ? desk : nullptr;
}

/// What a browser does about a failure of a form: 429 asks it to wait.
void set_status(Response& response, const Error& error) {
    response.status = http_status(error.code);
    if (error.code != ErrorCode::kOverloaded) return;
    response.status = kTooManyRequests;
    response.headers.push_back(retry_after(error.code, 0));
}

struct LoginForm {
    std::string name;
    std::string next;
    std::optional<Error> error = {};
};

Awaitable<> show_login(Exchange& exchange, const Pages& pages, LoginForm form) {
    boost::json::object view =
        frame_view(pages.bare_frame(exchange.request(), text_for(exchange.request(), "Sign in")));
    view["bare"] = true;
    view["name"] = form.name;
    view["next"] = form.next;
    view["error"] =
        form.error ? format_sentence(Language::of(exchange.request()), form.error->detail) : "";
    Response response;
    response.body = co_await pages.render(exchange.request(), "login.html", std::move(view));
    if (form.error) set_status(response, *form.error);
    co_await exchange.respond(std::move(response));
}

Awaitable<> get_login(Exchange& exchange, const Pages& pages) {
    const auto& query = exchange.request().query;
    const auto next = query.find("next");
    const std::string place = safe_path(next == query.end() ? "" : next->second);
    if (desk_of(pages) == nullptr || !exchange.request().account.empty()) {
        Response response = see_other(place);
        co_await exchange.respond(std::move(response));
        co_return;
    }
    LoginForm form{.name = "", .next = place};
    co_await show_login(exchange, pages, std::move(form));
}

Awaitable<> post_login(Exchange& exchange, const Pages& pages) {
    const Result<Form> form = exchange.request().form();
    LoginDesk* desk = desk_of(pages);
    if (!form || desk == nullptr) {
        const Error none{ErrorCode::kNotFound, "nobody has an account on this server"};
        co_await pages.show_error(exchange, form ? none : form.error());
        co_return;
    }
    LoginForm shown{.name = field(*form, "name"), .next = safe_path(field(*form, "next"))};
    auto start = [&](services::Completion<std::string> done) {
        desk->sign_in({.name = shown.name,
                       .password = field(*form, "password"),
                       .address = exchange.request().remote_address},
                      std::move(done));
    };
    const auto token = co_await wait_for<std::string>(start);
    if (!token) {
        shown.error = token.error();
        co_await show_login(exchange, pages, std::move(shown));
        co_return;
    }
    Response response = see_other(shown.next);
    response.headers.push_back(set_cookie(kLoginCookie, *token, pages.context().https));
    co_await exchange.respond(std::move(response));
}

/// On to the form, without the cookie.
Awaitable<> signed_out(Exchange& exchange, const Pages& pages, Result<> ended) {
    if (!ended) {
        co_await pages.show_error(exchange, ended.error());
        co_return;
    }
    Response response = see_other("/login");
    response.headers.push_back(set_cookie(kLoginCookie, "", pages.context().https));
    co_await exchange.respond(std::move(response));
}

Awaitable<> post_logout(Exchange& exchange, const Pages& pages) {
    const std::string token = read_cookie(exchange.request(), kLoginCookie, pages.context().https);
    LoginDesk* desk = desk_of(pages);
    Result<> ended;
    auto start = [&](services::Completion<> done) { desk->sign_out(token, std::move(done)); };
    if (desk != nullptr) ended = co_await wait_for<void>(start);
    co_await signed_out(exchange, pages, std::move(ended));
}

Awaitable<> post_everywhere(Exchange& exchange, const Pages& pages) {
    LoginDesk* desk = desk_of(pages);
    Result<> ended;
    auto start = [&](services::Completion<> done) {
        desk->sign_out_everywhere(exchange.request().account, std::move(done));
    };
    if (desk != nullptr) ended = co_await wait_for<void>(start);
    co_await signed_out(exchange, pages, std::move(ended));
}

Awaitable<> show_account(Exchange& exchange, const Pages& pages, std::optional<Error> error) {
    const Request& request = exchange.request();
    LoginDesk* desk = desk_of(pages);
    if (desk == nullptr || request.account.empty()) {
        const Error none{ErrorCode::kNotFound, "nobody has signed in here"};
        co_await pages.show_error(exchange, none);
        co_return;
    }
    const PageFrame frame = co_await pages.frame(request, text_for(request, "Account"));
    boost::json::object view = frame_view(frame);
    view["plain"] = true;
    view["logins"] = format_counted(
        frame.language, static_cast<std::int64_t>(desk->login_count(request.account)), "login");
    view["changed"] = request.query.contains("changed");
    view["error"] = error ? format_sentence(frame.language, error->detail) : "";
    Response response;
    response.body = co_await pages.render(exchange.request(), "account.html", std::move(view));
    if (error) set_status(response, *error);
    co_await exchange.respond(std::move(response));
}

Awaitable<> get_account(Exchange& exchange, const Pages& pages) {
    return show_account(exchange, pages, std::nullopt);
}

Awaitable<> post_password(Exchange& exchange, const Pages& pages) {
    const Request& request = exchange.request();
    const Result<Form> form = request.form();
    LoginDesk* desk = desk_of(pages);
    Result<std::string> token = fail(ErrorCode::kNotFound, "nobody has signed in here");
    if (!form) token = std::unexpected(form.error());
    auto start = [&](services::Completion<std::string> done) {
        desk->change_password({.account = request.account,
                               .old_password = field(*form, "old"),
                               .new_password = field(*form, "new"),
                               .address = request.remote_address},
                              std::move(done));
    };
    if (form && desk != nullptr && !request.account.empty())
        token = co_await wait_for<std::string>(start);
    if (!token) {
        co_await show_account(exchange, pages, token.error());
        co_return;
    }
    Response response = see_other(std::string(kAccountPath) + "?changed=1");
    response.headers.push_back(set_cookie(kLoginCookie, *token, pages.context().https));
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_account_routes(std::vector<Route>& routes, const SharedPages& pages) {
    const auto add_page = [&](std::string pattern, Action action, bool open) {
        Route route{Method::kGet, std::move(pattern), [pages, action](Exchange& exchange) {
                        return action(exchange, *pages);
                    }};
        route.open = open;
        routes.push_back(std::move(route));
    };
    add_page("/login", get_login, true);
    add_page(kAccountPath, get_account, false);
    routes.push_back(action_route(pages, "/login", post_login, BodyLimit::kSmall));
    routes.back().open = true;
    routes.push_back(action_route(pages, "/logout", post_logout, BodyLimit::kSmall));
    routes.push_back(action_route(pages, "/account/password", post_password, BodyLimit::kSmall));
    routes.push_back(
        action_route(pages, "/account/sign-out-everywhere", post_everywhere, BodyLimit::kSmall));
}

}  // namespace notso::web
