#include "web/routes/language.hpp"

#include "web/middleware/cookies.hpp"
#include "web/routes/chat_forms.hpp"

namespace notso::web {
namespace {

Awaitable<> post_language(Exchange& exchange, const Pages& pages) {
    const Result<Form> form = exchange.request().form();
    if (!form) {
        co_await pages.show_error(exchange, form.error());
        co_return;
    }
    const Language* chosen = Language::find(field(*form, "language"));
    if (chosen == nullptr) {
        const Error error{ErrorCode::kInvalidArgument,
                          "the page is not there in this language: choose one of those it offers"};
        co_await pages.show_error(exchange, error);
        co_return;
    }
    Response response = see_other(safe_path(field(*form, "next")));
    response.headers.push_back(set_cookie(kLanguageCookie, chosen->code(), false));
    co_await exchange.respond(std::move(response));
}

}  // namespace

void add_language_routes(std::vector<Route>& routes, const SharedPages& pages) {
    routes.push_back(action_route(pages, "/language", post_language, BodyLimit::kSmall));
}

}  // namespace notso::web
